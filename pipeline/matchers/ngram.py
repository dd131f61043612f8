"""Naive n-gram matcher: the longest exact match of the last words in the story so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gim.text.ngram import previous_occurrences
from pipeline.dataset.story import Story
from pipeline.matching.matches import NO_MATCH, Matches

OPTIONS: dict[str, Any] = {"n": 4}


def match(
    story: Story, newest: np.ndarray, rng: np.random.Generator, options: Mapping[str, Any]
) -> Matches:
    """Match the row's last n words, n = 4..1; the most recent among the longest.

    The query is the row's match state (its last word). Candidates are all earlier words, as a
    repeated phrase falls on the TR grid with another phase; the row matched is the one in which the
    candidate's last word starts. Similarity is n.
    """
    onsets = story.words["onset"].to_numpy()
    words = story.words["word"].to_numpy()
    ids = pd.factorize(words)[0]
    word_row = story.grid.row_of(onsets)
    state = story.grid.states(onsets)
    match_word = np.full(len(newest), -1)
    length = np.zeros(len(newest), dtype=int)
    for n in range(options["n"], 0, -1):
        found = _newest_eligible(previous_occurrences(ids, n), state, word_row, newest)
        better = (match_word < 0) & (found >= 0)
        match_word[better] = found[better]
        length[better] = n
    matched = match_word >= 0
    text = [" ".join(words[w - n + 1 : w + 1]) for w, n in zip(match_word, length, strict=True)]
    return Matches.hard(np.where(matched, word_row[match_word], NO_MATCH), length, text)


def _newest_eligible(
    previous: np.ndarray, state: np.ndarray, word_row: np.ndarray, newest: np.ndarray
) -> np.ndarray:
    """Most recent earlier occurrence in a row that each query may match; -1 for none."""

    def step(word: np.ndarray) -> np.ndarray:
        return np.where(word >= 0, previous[word], -1)

    word = step(state)
    while (too_new := (word >= 0) & (word_row[word] > newest)).any():
        word = np.where(too_new, step(word), word)
    return np.where((word >= 0) & (word_row[word] >= 0), word, -1)
