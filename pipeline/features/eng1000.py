"""Eng1000: co-occurrence of each word with 985 basic words (Huth et al., 2016)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from pipeline.dataset.story import Story
from pipeline.embedding.eng1000 import Eng1000
from pipeline.features.base import Kind

load_eng1000 = cache(Eng1000.load)  # once a job, not once a story


def compute(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """Eng1000 features of a story, array of shape (n_rows, n_basis)."""
    words = story.words
    vectors = load_eng1000(options["eng1000"]).vectors(words["word"])
    return story.to_rows(vectors, options["downsample"])


KIND = Kind(
    "eng1000",
    "stimulus",
    compute,
    zscore="story",
    options={"downsample": "lanczos"},
    resources=("eng1000",),
)
