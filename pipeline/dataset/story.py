"""A story as features see it: its words, its TR grid, and the way from one to the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.dataset.dataset import Dataset
from pipeline.dataset.downsample import downsample
from pipeline.dataset.grid import Grid


@dataclass(frozen=True)
class Story:
    """A story as the features see it.

    Parameters
    ----------
    name : str
        The story.
    words : DataFrame
        Columns word, onset, offset (seconds from the start of the sound), ascending.
    grid : Grid
        Its TR grid.
    """

    name: str
    words: pd.DataFrame
    grid: Grid

    def to_rows(self, values: np.ndarray, method: str) -> np.ndarray:
        """Values of shape (n_words, n_features) to one row a TR (`downsample`)."""
        onsets, offsets = self.words["onset"].to_numpy(), self.words["offset"].to_numpy()
        return downsample(values, onsets, offsets, self.grid, method)


def read_story(dataset: Dataset, words: pd.DataFrame, name: str) -> Story:
    """A story as features see it; `words` is the table of all stories' words."""
    own = words[words["story"] == name].reset_index(drop=True)
    return Story(name, own, dataset.grid(name))
