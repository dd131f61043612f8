"""How a model reads a story: what bands must have alike to share one pass over it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self


@dataclass(frozen=True)
class Reading:
    """Options of bands of states that the pass depends on; layers and pools are chosen from it.

    Parameters
    ----------
    model : str
        Folder, name or GGUF file of a causal language model.
    dtype : str or None
        Number format of its weights; None for bfloat16 on a GPU and float32 elsewhere.
    context : int or None
        Words before each word that it sees (`gim.causal.hidden.word_windows`); None, all that fit.
    step : int
        Words between the beginnings of windows.
    bos : bool
        Whether windows begin with the model's beginning token.
    """

    model: str
    dtype: str | None = None
    context: int | None = None
    step: int = 1
    bos: bool = True

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """From the options of a band."""
        return cls(**{field.name: options[field.name] for field in fields(cls)})

    @property
    def key(self) -> str:
        """A name for files, the same for equal readings only."""
        facts = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(facts.encode()).hexdigest()[:12]


def layers_of(options: Mapping[str, Any]) -> list[int]:
    """Layers that a band wants, as a list."""
    layers = options["layers"]
    return list(layers) if isinstance(layers, list | tuple) else [layers]
