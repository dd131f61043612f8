"""What the model that weighs evidence expects next, as a word vector, and how wrong it was.

Of the passages that speak for the next word (`gim.weighing`) each gives a probability; the mean
vector of the words that could come is what they expect it to mean. No BOLD enters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.dataset.story import Story
from pipeline.embedding.expectation import OPTIONS, Expectation, expectations, load_weighing
from pipeline.features.base import Kind
from pipeline.features.eng1000 import basis_names, lexicon

NUMBERS = ("surprisal", "entropy", "distance of what came")


def parts(expected: Expectation, vectors: np.ndarray, known: np.ndarray) -> dict[str, np.ndarray]:
    """What an expectation says of each word, arrays of shape (n_words, n_columns) by part.

    Parameters
    ----------
    expected : Expectation
    vectors : array of shape (n_words, n_basis)
        Of the words that came.
    known : array of bool, shape (n_words,)
        Whether they have one; of others the error is 0.
    """
    meaning = expected.meaning
    size = np.linalg.norm(meaning, axis=1) * np.linalg.norm(vectors, axis=1)
    alike = np.einsum("ij,ij->i", meaning, vectors) / np.where(size > 0, size, 1)
    distance = np.where(known, 1 - alike, 0)
    return {
        "expected": meaning,
        "error": (vectors - meaning) * known[:, None],
        "surprisal": np.stack([expected.surprisal, expected.entropy, distance], axis=1),
        "sources": expected.shares,
    }


def columns(options: Mapping[str, Any]) -> list[str]:
    """What the columns mean: basis words of what was expected and of the error, and numbers."""
    from gim.weighing.weights import SOURCES

    basis = basis_names(options)
    names = {
        "expected": [f"{name}, expected" for name in basis],
        "error": [f"{name}, error" for name in basis],
        "surprisal": NUMBERS,
        "sources": [f"share of {source}" for source in SOURCES],
    }
    return [name for part in options["parts"] for name in names[part]]


def compute(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """The parts that the options name side by side, (n_rows, n_columns)."""
    words, space = story.words["word"].tolist(), lexicon(options)
    expected = expectations(load_weighing(options), words, space)
    found = parts(expected, space.vectors(words), space.known(words))
    values = np.concatenate([found[part] for part in options["parts"]], axis=1)
    return story.to_rows(values, options["downsample"])


KIND = Kind(
    "expected",
    "stimulus",
    compute,
    zscore="story",
    options={"downsample": "lanczos", "parts": ("expected", "error", "surprisal"), **OPTIONS},
    resources=("eng1000",),
    lexicon=lexicon,
    columns=columns,
)
