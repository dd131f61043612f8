"""Word rate: how many words start in each TR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.dataset.story import Story
from pipeline.features.base import Kind


def compute(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """Word rate of a story, array of shape (n_rows, 1)."""
    words = story.words
    ones = np.ones((len(words), 1))
    return story.to_rows(ones, options["downsample"])


KIND = Kind(
    "wordrate",
    "stimulus",
    compute,
    zscore="story",
    options={"downsample": "sum"},
    columns=lambda options: ["words"],
)
