"""From the similarity of words' states to matches of TRs.

Each TR makes one query, whatever its number of words: its state, the last word that starts before
it ends (`pipeline.dataset.grid.Grid.states`). So a TR of fast speech has no more chances to match
well than a slow one, as it would if similarities were summed or filtered over the words of a TR.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pipeline.dataset.story import Story
from pipeline.matching.matches import NO_MATCH, Matches

OPTIONS: dict[str, Any] = {
    "candidates": "rows",  # states of earlier TRs, or all earlier words ("words")
    "n_matches": 1,  # this many most similar candidates share the weight (null: all)
    "sharpness": 1.0,  # their weights are similarity ** sharpness
}
SHOWN = 5  # words of a matched passage that are kept as evidence

Compare = Callable[[np.ndarray, np.ndarray], np.ndarray]


def needed_words(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """Words whose states are compared, ascending indices."""
    states, candidates, _ = _places(story, options)
    return np.union1d(states[states >= 0], candidates)


def match_states(
    story: Story, newest: np.ndarray, compare: Compare, options: Mapping[str, Any]
) -> Matches:
    """Match every row to the earlier rows whose states are most like its own.

    Parameters
    ----------
    story : Story
        The story.
    newest : array of int, shape (n_rows,)
        Newest row that each row may match; negative where none may.
    compare : callable
        Similarity, above 0, of query words and candidate words, given their indices: an array of
        shape (n_queries, n_candidates).
    options : dict
        `OPTIONS`. Of equally similar candidates the most recent comes first.

    Returns
    -------
    Matches
        Rows without a state, or without an earlier one to match, have no match.
    """
    states, words, rows = _places(story, options)
    queries = np.flatnonzero(states >= 0)
    similarity = np.asarray(compare(states[queries], words), dtype=np.float64)
    # A word whose state is carried over silence is no earlier moment.
    eligible = (rows <= newest[queries, None]) & (words < states[queries, None])
    similarity = np.where(eligible, similarity, -np.inf)
    best = _best(similarity, options["n_matches"])
    value = np.take_along_axis(similarity, best, axis=1)
    weight = _weights(value, options["sharpness"])
    kept = weight > 0
    query_of = np.broadcast_to(np.arange(len(queries))[:, None], best.shape)[kept]
    lonely = np.setdiff1d(np.arange(len(newest)), queries[query_of])
    row = np.concatenate([queries[query_of], lonely])
    order = np.argsort(row, kind="stable")
    nothing = np.full(len(lonely), NO_MATCH)
    matched_word = np.concatenate([words[best[kept]], nothing])[order]
    return Matches(
        row=row[order],
        match_row=np.concatenate([rows[best[kept]], nothing])[order],
        weight=np.concatenate([weight[kept], np.zeros(len(lonely))])[order],
        similarity=np.concatenate([value[kept], np.full(len(lonely), np.nan)])[order],
        words=_passages(story, row[order], matched_word, options["n_matches"] is None),
    )


def match_distributions(
    story: Story,
    newest: np.ndarray,
    words: np.ndarray,
    rows: Any,
    similarity: Callable[[Any, Any], np.ndarray],
    options: Mapping[str, Any],
) -> Matches:
    """`match_states` by distributions that were made for the words `needed_words` only.

    Parameters
    ----------
    words : array of int, shape (n_needed,)
        Ascending words of the story.
    rows : array or sparse array of shape (n_needed, n_tokens)
        The next-token distribution after each of them.
    similarity : callable
        Of two such arrays.
    """

    def compare(queries: np.ndarray, candidates: np.ndarray) -> np.ndarray:
        return similarity(
            rows[np.searchsorted(words, queries)], rows[np.searchsorted(words, candidates)]
        )

    return match_states(story, newest, compare, options)


def _places(story: Story, options: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """State of each row (-1: none); the candidates' words and the rows they stand for."""
    onsets = story.words["onset"].to_numpy()
    states = story.grid.states(onsets)
    if options["candidates"] == "rows":
        rows = np.flatnonzero(states >= 0)
        return states, states[rows], rows
    word_row = story.grid.row_of(onsets)
    words = np.flatnonzero((word_row >= 0) & (word_row < story.grid.n_rows))
    return states, words, word_row[words]


def _best(similarity: np.ndarray, n: int | None) -> np.ndarray:
    """Columns of the n largest entries of each row, the largest first, the last of equal ones."""
    last_first = np.argsort(-similarity[:, ::-1], axis=1, kind="stable")
    return similarity.shape[1] - 1 - last_first[:, :n]


def _weights(value: np.ndarray, sharpness: float) -> np.ndarray:
    """Shares of each row's candidates (-inf: not eligible); rows sum to one, or to zero."""
    relative = np.maximum(value, 0) / np.maximum(
        value.max(axis=1, keepdims=True, initial=0), 1e-300
    )
    weight = np.where(value > 0, relative**sharpness, 0.0)
    total = weight.sum(axis=1, keepdims=True)
    return weight / np.where(total > 0, total, 1)


def _passages(
    story: Story, row: np.ndarray, matched_word: np.ndarray, first_only: bool
) -> list[str]:
    """The words up to each matched one; with many matches a row, of its best match only."""
    words = story.words["word"].to_numpy()
    first = np.diff(row, prepend=-1) > 0
    return [
        " ".join(words[max(0, w - SHOWN + 1) : w + 1]) if w >= 0 and (f or not first_only) else ""
        for w, f in zip(matched_word.tolist(), first.tolist(), strict=True)
    ]
