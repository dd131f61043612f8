"""The words that excite a place most and least, and how many folds would name them, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.tuning.components import Axes, principal_axes
from pipeline.tuning.vocabulary import Vocabulary

MOST_WORDS = 20
ENDS = ("most", "least")


@dataclass(frozen=True)
class End:
    """Words at one end of what a place answers to.

    Parameters
    ----------
    words : list of str
        The words, those of the largest response (either way) first.
    again : list of int, or None
        In how many folds each is among as many words if the fold's stories are left out; None where
        the place was not solved again.
    """

    words: list[str]
    again: list[int] | None

    def stability(self, n_folds: int) -> float:
        """Mean share of the folds' lists that have a word; NaN if it is not known."""
        return float(np.mean(self.again)) / n_folds if self.again else np.nan


def ends(
    words: Vocabulary, response: np.ndarray, by_fold: np.ndarray, n: int = MOST_WORDS
) -> dict[str, End]:
    """Words at both ends of a response.

    Parameters
    ----------
    words : Vocabulary
        The words.
    response : array of shape (n_words,)
        What each evokes.
    by_fold : array of shape (n_folds, n_words)
        The same, by the weights without each fold's stories; NaN where there are none.
    n : int
        Words at either end.

    Returns
    -------
    dict of "most" and "least" to End
    """
    lists = [words.ends(fold, n) for fold in by_fold if not np.isnan(fold).any()]
    found = {}
    for i, (end, names) in enumerate(zip(ENDS, words.ends(response, n), strict=True)):
        sets = [set(both[i]) for both in lists]
        again = [sum(name in own for own in sets) for name in names] if sets else None
        found[end] = End(names, again)
    return found


def word_table(
    words: Vocabulary,
    places: Sequence[str],
    kind: str,
    responses: np.ndarray,
    by_fold: np.ndarray,
) -> pd.DataFrame:
    """A row a place, end and word.

    Parameters
    ----------
    words : Vocabulary
        The words.
    places : sequence of str
        Names of the places.
    kind : str
        What they are.
    responses : array of shape (n_words, n_places)
        What words evoke there.
    by_fold : array of shape (n_folds, n_words, n_places)
        See `ends`.

    Returns
    -------
    DataFrame
        Columns place, kind, end, rank, word, response and stability (`End.stability` of the word).
    """
    where = {word: i for i, word in enumerate(words.words)}
    rows = []
    for k, place in enumerate(places):
        if not responses[:, k].any():  # the fit leaves the band out
            continue
        for end, found in ends(words, responses[:, k], by_fold[:, :, k]).items():
            again: Sequence[float] = found.again or [np.nan] * len(found.words)
            rows += [
                {"place": place, "kind": kind, "end": end, "rank": rank, "word": word}
                | {"response": responses[where[word], k], "stability": count / len(by_fold)}
                for rank, (word, count) in enumerate(zip(found.words, again, strict=True), start=1)
            ]
    return pd.DataFrame(rows)


def fold_axes(axes: Axes, by_fold: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The axes of weights without each fold's stories that are most like the model's.

    Parameters
    ----------
    axes : Axes
        Of the model's weights.
    by_fold : sequence of arrays of shape (n_features, n_voxels)
        Weights without each fold.

    Returns
    -------
    found : array of shape (n_folds, n_axes, n_features)
        For every axis the nearest, turned to its side.
    cosine : array of shape (n_axes,)
        With it, mean over folds.
    """
    found, cosines = [], []
    for weights in by_fold:
        own = principal_axes(weights, len(axes.axes)).axes
        cosine = axes.axes @ own.T
        nearest = np.abs(cosine).argmax(axis=1)
        best = cosine[np.arange(len(nearest)), nearest]
        found.append(own[nearest] * np.sign(best)[:, None])
        cosines.append(np.abs(best))
    return np.stack(found), np.mean(cosines, axis=0)
