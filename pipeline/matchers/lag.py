"""Lag-matched control: matches as far back as another matcher's, but to no particular moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.core.random import generator
from pipeline.matching.matches import NO_MATCH, Matches

OPTIONS: dict[str, Any] = {"of": None, "draws": 20, "bins": 10}


def control(
    by_story: dict[str, Matches],
    newest: dict[str, np.ndarray],
    train: Sequence[str],
    seed: int,
    name: str,
    draws: int,
    bins: int,
) -> dict[str, Matches]:
    """Replace matches by others that know the matcher's lags and nothing else of it.

    Single matches are redrawn (`redraw`). Where a row has several, their weights are replaced by
    the average weight at each lag (`average`).

    Parameters
    ----------
    by_story : dict of str to Matches
        The matcher's.
    newest : dict of str to array of shape (n_rows,)
        Newest row that each row may match.
    train : sequence of str
        Training stories.
    seed : int
        Seed of the random controls.
    name : str
        Name of the band, which gives it draws of its own.
    draws : int
        Draws averaged for each row.
    bins : int
        Bins of elapsed time, equally full.
    """
    if all(len(np.unique(m.row)) == len(m.row) for m in by_story.values()):
        return redraw(by_story, newest, train, seed, name, draws, bins)
    return average(by_story, newest, train, bins)


def redraw(
    by_story: dict[str, Matches],
    newest: dict[str, np.ndarray],
    train: Sequence[str],
    seed: int,
    name: str,
    draws: int,
    bins: int,
) -> dict[str, Matches]:
    """Replace every match by draws from the matcher's own lags; parameters as in `control`.

    The lags are those of the training stories, pooled within bins of elapsed time (row number),
    since a later row can look further back. A draw is never the match it replaces. Rows without a
    match keep none, and so do rows for which no pooled lag is possible.

    Returns
    -------
    dict of str to Matches
        `draws` matches a row, each with weight 1 / draws.
    """
    rows, lags = _training_lags(by_story, train)
    edges = _bin_edges(rows, bins)
    pools = [np.sort(lags[np.digitize(rows, edges) == b]) for b in range(len(edges) + 1)]
    return {
        story: _redraw_story(m, newest[story], pools, edges, draws, generator(seed, name, story))
        for story, m in by_story.items()
    }


def average(
    by_story: dict[str, Matches],
    newest: dict[str, np.ndarray],
    train: Sequence[str],
    bins: int,
) -> dict[str, Matches]:
    """Replace weights by their average at that lag in the training stories.

    The average is over the training rows of a bin of elapsed time that could look so far back, and
    counts candidates that were not matched as 0. A row's weights are scaled to sum to one again.
    Rows without a match keep none.

    Returns
    -------
    dict of str to Matches
        One match for each earlier row that a row may match and whose lag has any weight.
    """
    matched = {story: by_story[story].row[by_story[story].weight > 0] for story in train}
    rows = np.concatenate([np.unique(r) for r in matched.values()])
    edges = _bin_edges(rows, bins)
    size = max((len(n) for n in newest.values()), default=0)
    weight, chances = np.zeros((2, len(edges) + 1, size))
    for story in train:
        m = by_story[story]
        found = m.match_row != NO_MATCH
        lags = m.row[found] - m.match_row[found]
        np.add.at(weight, (np.digitize(m.row[found], edges), lags), m.weight[found])
        for row in np.unique(matched[story]):
            chances[np.digitize(row, edges), row - newest[story][row] : row + 1] += 1
    mean = weight / np.maximum(chances, 1)
    return {story: _average_story(m, newest[story], mean, edges) for story, m in by_story.items()}


def _average_story(
    matches: Matches, newest: np.ndarray, mean: np.ndarray, edges: np.ndarray
) -> Matches:
    row, match_row, weight = [], [], []
    has_match = np.bincount(matches.row, matches.weight, minlength=len(newest)) > 0
    for r in range(len(newest)):
        candidates = np.arange(newest[r] + 1) if has_match[r] else np.empty(0, int)
        shares = mean[np.digitize(r, edges), r - candidates]
        candidates, shares = candidates[shares > 0], shares[shares > 0]
        if not len(candidates):
            candidates, shares = np.array([NO_MATCH]), np.zeros(1)
        row.append(np.full(len(candidates), r))
        match_row.append(candidates)
        weight.append(shares / max(shares.sum(), 1e-300))
    return _without_words(*map(np.concatenate, (row, match_row, weight)))


def _without_words(row: np.ndarray, match_row: np.ndarray, weight: np.ndarray) -> Matches:
    similarity = np.where(match_row != NO_MATCH, 1.0, np.nan)
    return Matches(row, match_row, weight, similarity, [""] * len(row))


def _bin_edges(rows: np.ndarray, bins: int) -> np.ndarray:
    return np.quantile(rows, np.arange(1, bins) / bins) if len(rows) else np.empty(0)


def _training_lags(
    by_story: dict[str, Matches], train: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    found = {s: by_story[s].match_row != NO_MATCH for s in train}
    rows = np.concatenate([by_story[s].row[found[s]] for s in train])
    matched = np.concatenate([by_story[s].match_row[found[s]] for s in train])
    return rows, rows - matched


def _redraw_story(
    matches: Matches,
    newest: np.ndarray,
    pools: list[np.ndarray],
    edges: np.ndarray,
    draws: int,
    rng: np.random.Generator,
) -> Matches:
    row, match_row, weight = [], [], []
    for r, own in zip(matches.row, matches.match_row, strict=True):
        u = rng.random(draws)
        pool = pools[np.digitize(r, edges)] if own != NO_MATCH else np.empty(0, int)
        possible = pool[(pool <= r) & (pool >= r - newest[r]) & (pool != r - own)]
        if len(possible):
            chosen = r - possible[(u * len(possible)).astype(int)]
        else:
            chosen = np.array([NO_MATCH])
        row.append(np.full(len(chosen), r))
        match_row.append(chosen)
        weight.append(np.full(len(chosen), (chosen != NO_MATCH) / len(chosen)))
    return _without_words(*map(np.concatenate, (row, match_row, weight)))
