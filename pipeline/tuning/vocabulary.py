"""Words as points in the space of a band's features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.bands.registry import BandOptions, kind_of
from pipeline.core.series import varies
from pipeline.dataset.grid import Grid
from pipeline.dataset.story import Story

AT_A_TIME = 1000  # words
LEAST = 2  # times that a word is said in the training stories


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The words of the training stories in the space of a band.

    Parameters
    ----------
    words : list of str
        The words, those that are said most often first.
    vectors : array of shape (n_words, n_features)
        Features of each alone, in standard deviations over the words as they are said, about their
        mean: what the weights of z-scored features multiply, but for a factor.
    """

    words: list[str]
    vectors: np.ndarray

    def responses(self, weights: np.ndarray) -> np.ndarray:
        """What each word evokes beside the mean word, (n_words, n) for (n_features, n) weights."""
        return self.vectors @ weights

    def ends(self, responses: np.ndarray, n: int) -> tuple[list[str], list[str]]:
        """The `n` words with the largest responses, (n_words,), and with the smallest."""
        order = np.argsort(-responses, kind="stable")
        return [self.words[i] for i in order[:n]], [self.words[i] for i in order[::-1][:n]]


def vocabulary(words: pd.DataFrame, train: Sequence[str], options: BandOptions) -> Vocabulary:
    """Look up the words of the training stories.

    Parameters
    ----------
    words : DataFrame
        Columns story and word, all stories of a run.
    train : sequence of str
        Training stories.
    options : BandOptions
        Of a band whose kind is `by_word`, with the files of its resources.
    """
    spoken = words.loc[words["story"].isin(list(train)), "word"].astype(str)
    names, counts = np.unique(spoken.to_numpy(dtype=str), return_counts=True)
    often = np.flatnonzero(counts >= min(LEAST, counts.max()))
    order = often[np.argsort(-counts[often], kind="stable")]
    said, times = names[order].tolist(), counts[order].astype(float)
    vectors = word_features(said, options)
    known = np.flatnonzero(vectors.any(axis=1))
    vectors, times = vectors[known], times[known]
    mean = np.average(vectors, axis=0, weights=times)
    sd = np.sqrt(np.average(np.square(vectors - mean), axis=0, weights=times))
    sd = np.where(varies(vectors) & (sd > 0), sd, np.inf)
    return Vocabulary([said[i] for i in known], (vectors - mean) / sd)


def word_features(words: Sequence[str], options: BandOptions) -> np.ndarray:
    """Features of words, each as if it were said alone in a TR, (n_words, n_features)."""
    compute = kind_of(options.kind).compute
    alone = replace(options, own={**options.own, "downsample": "sum"})
    found = []
    for start in range(0, len(words), AT_A_TIME):
        some = list(words[start : start + AT_A_TIME])
        onsets = np.arange(len(some)) + 0.25
        table = pd.DataFrame({"word": some, "onset": onsets, "offset": onsets + 0.5})
        grid = Grid(len(some), tr=1.0, sound_start=0.0, unused_volumes=0, trim=(0, 0))
        found.append(compute(Story("words", table, grid), alone.own))
    return np.concatenate(found).astype(np.float64)
