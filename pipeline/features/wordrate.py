"""Word rate: how many words start in each TR."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.downsample import downsample
from pipeline.features.base import Kind, Story


def compute(story: Story, options: dict[str, Any]) -> np.ndarray:
    """Word rate of a story, array of shape (n_rows, 1)."""
    words = story.words
    ones = np.ones((len(words), 1))
    onsets, offsets = words["onset"].to_numpy(), words["offset"].to_numpy()
    return downsample(ones, onsets, offsets, story.grid, options["downsample"])


KIND = Kind("wordrate", "stimulus", compute, zscore="story", options={"downsample": "sum"})
