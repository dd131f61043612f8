"""What the passages most like the context meant, or what followed them: named columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.embedding.eng1000 import Eng1000
from pipeline.features.base import Kind
from pipeline.features.eng1000 import load_eng1000


def space(options: Mapping[str, Any]) -> Eng1000:
    """The word space: the one named, or the run's Eng1000."""
    return load_eng1000(options["space"] or options["eng1000"])


def compute(
    there: Sequence[str], followed: Sequence[str], options: Mapping[str, Any]
) -> np.ndarray:
    """Mean vector of the words at each passage, or of those that followed it.

    Words that the space does not know do not count; zeros where it knows none.

    Parameters
    ----------
    there, followed : sequences of str, length n_passages
        Words that end, and that begin after, each passage's place.
    options : mapping
        `what`, "there" or "followed"; `span`, how many words; `space` or `eng1000`, the file.

    Returns
    -------
    array of shape (n_passages, n_basis), float32
    """
    found, span = space(options), options["span"]
    ahead = options["what"] == "followed"
    texts = [text.split() for text in (followed if ahead else there)]
    lines = [words[:span] if ahead else words[-span:] for words in texts]
    vocabulary = sorted({word for line in lines for word in line})
    place = {word: i for i, word in enumerate(vocabulary)}
    vectors, known = found.vectors(vocabulary), found.known(vocabulary)
    out = np.zeros((len(lines), vectors.shape[1]), np.float32)
    for i, line in enumerate(lines):
        own = [j for j in map(place.__getitem__, line) if known[j]]
        if own:
            out[i] = vectors[own].mean(axis=0)
    return out


def columns(options: Mapping[str, Any]) -> list[str] | None:
    """The words that the columns stand for, if the space's file has them."""
    return space(options).basis


KIND = Kind(
    "meaning",
    "memory",
    compute,
    zscore="story",
    options={"of": None, "what": "there", "span": 16, "space": None},
    resources=("eng1000",),
    required=("of",),
    columns=columns,
)
