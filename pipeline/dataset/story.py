"""The words of stories, a story as features see it, and the way from a row a word to a row a TR."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pipeline.core.errors import Problem, ProblemError
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.grid import Grid, whole_story
from pipeline.readers.words import COLUMNS

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_array

LOBES = 3
METHODS = ("lanczos", "average", "sum")


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
    whole : str
        The story that a block is of; of whole stories empty, for their own name.
    read_phones : callable
        Gives the intervals of the transcript's phones, columns phone, onset and offset, or None
        where it has no tier of them.
    """

    name: str
    words: pd.DataFrame
    grid: Grid
    whole: str = ""
    read_phones: Callable[[], pd.DataFrame | None] = field(default=lambda: None, compare=False)

    def to_rows(self, values: np.ndarray, method: str) -> np.ndarray:
        """Values of shape (n_words, n_features) to one row a TR (`downsample`)."""
        onsets, offsets = self.words["onset"].to_numpy(), self.words["offset"].to_numpy()
        return downsample(values, onsets, offsets, self.grid, method)


def read_story(dataset: Dataset, words: pd.DataFrame, name: str) -> Story:
    """A story as features see it; `words` is the table of all stories' words."""
    own = words[words["story"] == name].reset_index(drop=True)
    whole = whole_story(name, dataset.blocks)
    return Story(name, own, dataset.grid(name), whole, partial(dataset.read_phones, name))


def lanczos_weights(word_times: np.ndarray, tr_times: np.ndarray, tr: float) -> csr_array:
    """Lanczos weights of words at volumes, cut-off 1 / (2 TR), not normalised.

    With x = (TR time - word time) / TR the weight is sinc(x) sinc(x / 3) for |x| < 3, else 0.

    Parameters
    ----------
    word_times : array of shape (n_words,)
        Mid-times of the words, seconds.
    tr_times : array of shape (n_volumes,)
        Mid-times of the volumes, seconds.
    tr : float
        Repetition time, seconds.

    Returns
    -------
    sparse array of shape (n_volumes, n_words)
        Each row stores the few words that are near the volume.
    """
    from scipy.sparse import csr_array  # slow to import

    order = np.argsort(word_times, kind="stable")
    begin, end = (
        np.searchsorted(word_times[order], tr_times + lobes * tr) for lobes in (-LOBES, LOBES)
    )
    ends = np.append(0, np.cumsum(end - begin))
    words = order[np.arange(ends[-1]) - np.repeat(ends[:-1] - begin, end - begin)]
    x = (np.repeat(tr_times, end - begin) - word_times[words]) / tr
    weights = np.where(np.abs(x) < LOBES, np.sinc(x) * np.sinc(x / LOBES), 0.0)
    return csr_array((weights, words, ends), shape=(len(tr_times), len(word_times)))


def membership_weights(word_rows: np.ndarray, n_rows: int, average: bool) -> csr_array:
    """Weight 1 (or 1 / words in the row) where a word's onset is in the row.

    Parameters
    ----------
    word_rows : array of int, shape (n_words,)
        Row of each word; words outside 0..n_rows-1 have no weight.
    n_rows : int
        Number of rows.
    average : bool
        Whether the rows' weights sum to one.

    Returns
    -------
    sparse array of shape (n_rows, n_words)
    """
    from scipy.sparse import csr_array  # slow to import

    inside = np.flatnonzero((word_rows >= 0) & (word_rows < n_rows))
    rows = word_rows[inside]
    weights = 1 / np.bincount(rows)[rows] if average else np.ones(len(rows))
    return csr_array((weights, (rows, inside)), shape=(n_rows, len(word_rows)))


def downsample(
    values: np.ndarray, onsets: np.ndarray, offsets: np.ndarray, grid: Grid, method: str
) -> np.ndarray:
    """Bring word features to the kept volumes of a story.

    Parameters
    ----------
    values : array of shape (n_words, n_features)
        Features of the words.
    onsets, offsets : arrays of shape (n_words,)
        Seconds from the start of the sound.
    grid : Grid
        TR grid of the story.
    method : {"lanczos", "average", "sum"}
        Lanczos filter by mid-times, or mean or sum over the words that start in the TR.

    Returns
    -------
    array of shape (n_rows, n_features), float32

    Raises
    ------
    ValueError
        If the method is unknown.
    """
    if method == "lanczos":
        tr_times = grid.volume_starts()[grid.kept] + grid.tr / 2
        weights = lanczos_weights((onsets + offsets) / 2, tr_times, grid.tr)
    elif method in METHODS:
        weights = membership_weights(grid.row_of(onsets), grid.n_rows, method == "average")
    else:
        raise ValueError(f"unknown downsampling {method!r}; use one of {METHODS}")
    return (weights @ values).astype(np.float32)


def read_stories(dataset: Dataset, stories: Iterable[str]) -> pd.DataFrame:
    """Read the words of several stories.

    Parameters
    ----------
    dataset : Dataset
        Where the transcripts are.
    stories : iterable of str
        Names of stories, in the order wanted.

    Returns
    -------
    DataFrame of n_words rows
        `story`, `word`, `onset` and `offset` (seconds from the start of the story's sound).

    Raises
    ------
    ProblemError
        With the faults of all the stories' transcripts.
    """
    import pandas as pd  # slow to import

    tables: list[pd.DataFrame] = []
    problems: list[Problem] = []
    for story in stories:
        try:
            words = dataset.read_words(story)
        except ProblemError as error:
            problems += error.problems
        else:
            words.insert(0, "story", story)
            tables.append(words)
    if problems:
        raise ProblemError(problems)
    if not tables:
        return pd.DataFrame(columns=["story", *COLUMNS])
    return pd.concat(tables, ignore_index=True)
