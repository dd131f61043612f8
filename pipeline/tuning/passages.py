"""Moments of the test stories at which most is predicted of a place, and which match had a part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.core.series import zscore
from pipeline.matching.matches import NO_MATCH, Matches

N_PASSAGES = 4  # of a place


@dataclass(frozen=True, eq=False)
class Matcher:
    """A band that copies what followed earlier moments, or says how expected words were from them.

    Parameters
    ----------
    band : str
        The band.
    values : mapping of str to array of shape (n_rows, n_columns)
        Its columns before they are delayed, by test story.
    delays : sequence of int
        FIR delays, TRs.
    matches : mapping of str to Matches
        Earlier moments, by test story.
    weights : array of shape (n_delays, n_columns, n_places)
        Of the places.
    """

    band: str
    values: Mapping[str, np.ndarray]
    delays: Sequence[int]
    matches: Mapping[str, Matches]
    weights: np.ndarray


@dataclass(frozen=True)
class Passage:
    """A moment at which much is predicted.

    Parameters
    ----------
    story : int
        Number of the test story.
    row : int
        Row (TR) of the response.
    predicted, measured : float
        In standard deviations of the place's course over the test stories, about its mean.
    match : tuple of (int, int, int, float), or None
        Number of the matcher, the row at which it matched, the earlier row that it found there, and
        what that adds to the prediction, in standard deviations of the predictions.
    """

    story: int
    row: int
    predicted: float
    measured: float
    match: tuple[int, int, int, float] | None = None


def passages(
    predicted: Sequence[np.ndarray], measured: Sequence[np.ndarray], apart: int, n: int = N_PASSAGES
) -> list[list[Passage]]:
    """The moments of each place at which its predicted response is largest.

    Parameters
    ----------
    predicted, measured : sequences of arrays of shape (n_rows, n_places)
        Of each test story.
    apart : int
        Rows between two moments of a story, at least: those that hear the same words.
    n : int
        Moments of a place, at most.

    Returns
    -------
    list of list of Passage
        Of each place, the largest first; none where the prediction does not vary.
    """
    lengths = [len(values) for values in predicted]
    story = np.repeat(np.arange(len(lengths)), lengths)
    row = np.concatenate([np.arange(length) for length in lengths])
    high, seen = zscore(np.concatenate(predicted)), zscore(np.concatenate(measured))
    found = []
    for place in range(high.shape[1]):
        chosen: list[int] = []
        for i in np.argsort(-high[:, place], kind="stable"):
            if len(chosen) == n or high[i, place] <= 0:
                break
            near = [k for k in chosen if story[k] == story[i] and abs(row[k] - row[i]) < apart]
            if not near:
                chosen.append(int(i))
        found.append(
            [
                Passage(int(story[i]), int(row[i]), float(high[i, place]), float(seen[i, place]))
                for i in chosen
            ]
        )
    return found


def contributing(
    passage: Passage, place: int, matchers: Sequence[Matcher], stories: Sequence[str], sd: float
) -> tuple[int, int, int, float] | None:
    """The match that adds most to the prediction of a moment (`Passage.match`).

    What a band adds to a row is a sum over delays, each the columns of an earlier row times
    weights; that earlier row has the match.

    Parameters
    ----------
    passage : Passage
        The moment.
    place : int
        The place.
    matchers : sequence of Matcher
        Bands of the model that match.
    stories : sequence of str
        Test stories.
    sd : float
        Standard deviation of the place's predictions.
    """
    best = None
    for number, matcher in enumerate(matchers):
        story = stories[passage.story]
        values, matches = matcher.values[story], matcher.matches[story]
        for k, delay in enumerate(matcher.delays):
            at = passage.row - delay
            if not 0 <= at < len(values):
                continue
            own = np.flatnonzero((matches.row == at) & (matches.match_row != NO_MATCH))
            if not len(own):
                continue
            adds = float(values[at] @ matcher.weights[k, :, place] / sd)
            if adds > 0 and (best is None or adds > best[3]):
                to = matches.match_row[own[np.argmax(matches.weight[own])]]
                best = (number, at, int(to), adds)
    return best
