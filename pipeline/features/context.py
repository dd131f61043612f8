"""What was said before: the mean vector of earlier words, fading as they grow old."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline.dataset.story import Story
from pipeline.features.base import Kind
from pipeline.features.eng1000 import basis_names, lexicon


def fading_mean(values: np.ndarray, weights: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Weighted mean of the words before each one, older words counting less.

    With the weight w_j of a word and the share k_i of everything before that is kept from word
    i - 1 to word i, the mean at i is sum_j u_ij v_j / sum_j u_ij over j < i, u_ij = w_j times the
    product of k_(j+1) to k_i. One step of a recursive filter a word, all columns at once.

    Parameters
    ----------
    values : array of shape (n_words, n_columns)
        v_j.
    weights : array of shape (n_words,)
        w_j; 0 for words that have no value.
    kept : array of shape (n_words,)
        k_i, from 0 (all before is forgotten) to 1.

    Returns
    -------
    array of shape (n_words, n_columns), float32
        Zeros where no word with a value is left before.
    """
    means = np.zeros(values.shape, np.float32)
    total, mass = np.zeros(values.shape[1]), 0.0
    for i, keep in enumerate(kept):
        total *= keep
        mass *= keep
        if mass > np.finfo(float).tiny:
            means[i] = total / mass
        if weights[i]:
            total += weights[i] * values[i]
            mass += weights[i]
    return means


def memories(words: pd.DataFrame, options: Mapping[str, Any]) -> Iterator[tuple[str, np.ndarray]]:
    """Name of each way to remember, and what it keeps of the past from each word to the next.

    Parameters
    ----------
    words : DataFrame
        `onset` and `offset`, seconds.
    options : mapping
        Of the kind.

    Yields
    ------
    name : str
    kept : array of shape (n_words,)
    """
    onset, offset = words["onset"].to_numpy(float), words["offset"].to_numpy(float)
    age = np.diff(onset, prepend=onset[:1])
    for n in options["words"]:
        yield f"{n:g} words", np.full(len(onset), np.exp(-1 / n))
    for n in options["seconds"]:
        yield f"{n:g} s", np.exp(-age / n)
    if options["phrase"] is not None:
        silent = onset - np.maximum.accumulate(np.append(-np.inf, offset)[:-1])
        yield "phrase", (silent < options["phrase"]).astype(float)
    if options["topic"]:
        yield "story", np.ones(len(onset))


def columns(options: Mapping[str, Any]) -> list[str]:
    """The word, or basis word, of each column, and over how long it is remembered."""
    none = pd.DataFrame({"onset": [], "offset": []})
    names = basis_names(options)
    return [f"{name}, {memory}" for memory, _ in memories(none, options) for name in names]


def compute(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """Eng1000 of the words before, (n_rows, n_memories * n_basis); the word itself is not in it."""
    words = story.words
    space = lexicon(options)
    vectors, known = space.vectors(words["word"]), space.known(words["word"]).astype(float)
    means = [fading_mean(vectors, known, kept) for _, kept in memories(words, options)]
    return story.to_rows(np.concatenate(means, axis=1), options["downsample"])


KIND = Kind(
    "context",
    "stimulus",
    compute,
    zscore="story",
    options={
        "downsample": "lanczos",
        "words": (4, 16, 64),
        "seconds": (),
        "phrase": None,
        "topic": False,
    },
    resources=("eng1000",),
    lexicon=lexicon,
    columns=columns,
)
