"""Lag-matched control: matches as far back as another matcher's, but to no particular moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.matching import NO_MATCH, Matches, generator

OPTIONS: dict[str, Any] = {"of": None, "draws": 20, "bins": 10}


def redraw(
    by_story: dict[str, Matches],
    newest: dict[str, np.ndarray],
    train: Sequence[str],
    seed: int,
    name: str,
    draws: int,
    bins: int,
) -> dict[str, Matches]:
    """Replace every match by draws from the matcher's own lags.

    The lags are those of the training stories, pooled within bins of elapsed time (row number),
    since a later row can look further back. A draw is never the match it replaces. Rows without a
    match keep none, and so do rows for which no pooled lag is possible.

    Parameters
    ----------
    by_story : dict of str to Matches
        Hard matches (one a row) of the matcher.
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

    Returns
    -------
    dict of str to Matches
        `draws` matches a row, each with weight 1 / draws.
    """
    rows, lags = _training_lags(by_story, train)
    edges = np.quantile(rows, np.arange(1, bins) / bins) if len(rows) else np.empty(0)
    pools = [np.sort(lags[np.digitize(rows, edges) == b]) for b in range(len(edges) + 1)]
    return {
        story: _redraw_story(m, newest[story], pools, edges, draws, generator(seed, name, story))
        for story, m in by_story.items()
    }


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
    found = np.concatenate(match_row)
    return Matches(
        row=np.concatenate(row),
        match_row=found,
        weight=np.concatenate(weight),
        similarity=np.where(found != NO_MATCH, 1.0, np.nan),
        words=[""] * len(found),
    )
