"""A reading as columns of numbers: what each word was to one who copies from the text so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # which imports PyTorch; the names alone must be quick to get
    from gim.induction.reading import Reading

COLUMNS = (
    "surprisal", "entropy", "suffix", "exact", "similarity", "lag", "repeated_word",
    "repeated_bigram", "repeated_trigram", "log_count", "words",
)  # fmt: skip


def columns(reading: Reading) -> NDArray[np.float64]:
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
