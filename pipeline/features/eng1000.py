"""Eng1000: co-occurrence of each word with 985 basic words (Huth et al., 2016)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.dataset.story import Story
from pipeline.embedding.eng1000 import Eng1000
from pipeline.features.base import Kind


@lru_cache(maxsize=4)
def _load(path: str, changed: int | None) -> Eng1000:
    return Eng1000.load(path)


def load_eng1000(path: str | Path) -> Eng1000:
    """An embedding, read once a job, not once a story, unless the file changes."""
    changed = Path(path).stat().st_mtime_ns if Path(path).is_file() else None
    return _load(str(path), changed)


def lexicon(options: Mapping[str, Any]) -> Eng1000:
    """The embedding in which words are looked up."""
    return load_eng1000(options["eng1000"])


def basis_names(options: Mapping[str, Any]) -> list[str]:
    """What the columns mean: basis words, or their numbers where the file does not record them."""
    space = lexicon(options)
    return space.basis or [f"basis word {i}" for i in range(1, len(space.data) + 1)]


def compute(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """Eng1000 features of a story, array of shape (n_rows, n_basis)."""
    vectors = lexicon(options).vectors(story.words["word"])
    return story.to_rows(vectors, options["downsample"])


KIND = Kind(
    "eng1000",
    "stimulus",
    compute,
    zscore="story",
    options={"downsample": "lanczos"},
    resources=("eng1000",),
    lexicon=lexicon,
    columns=basis_names,
    by_word=True,
)
