"""What GIM makes of each word: how expected it was, and from where. No BOLD enters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.dataset.story import Story
from pipeline.features.base import Kind
from pipeline.features.encoder import load_encoder

if TYPE_CHECKING:
    from gim.induction.reading import Reading

COLUMNS = (
    "surprisal", "entropy", "suffix", "exact", "similarity", "lag", "repeated_word",
    "repeated_bigram", "repeated_trigram", "log_count", "words",
)  # fmt: skip


def columns(reading: Reading) -> np.ndarray:
    """The numbers of each word, array of shape (n_words, n_columns) in the order of `COLUMNS`.

    Counts of new words and bigrams are words minus repeated ones, so they need no columns.
    """
    return np.stack(
        [
            reading.surprisal,
            reading.entropy,
            np.log1p(reading.suffix),
            reading.exact,
            reading.similarity,
            np.log1p(reading.lag),
            *(reading.repeats(n) for n in (1, 2, 3)),
            np.log1p(reading.count),
            np.ones(len(reading.ids)),
        ],
        axis=1,
    )


def compute(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """Induction features of a story, array of shape (n_rows, len(COLUMNS))."""
    from gim.induction.reading import read

    words = story.words
    reading = read(words["word"].tolist(), load_encoder(options["encoder"]), options["tau"])
    return story.to_rows(columns(reading), options["downsample"])


KIND = Kind(
    "induction",
    "stimulus",
    compute,
    zscore="story",
    options={"downsample": "lanczos", "encoder": None, "tau": 2},
    columns=lambda options: list(COLUMNS),
)
