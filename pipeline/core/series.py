"""Time series of one story: delayed, and scaled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def delay(values: np.ndarray, delays: Sequence[int]) -> np.ndarray:
    """Copies of `values` shifted down by each delay, zeros moving in.

    Parameters
    ----------
    values : array of shape (n_rows, n_columns)
        Features of one story.
    delays : sequence of int
        TRs, each at least 0.

    Returns
    -------
    array of shape (n_rows, len(delays) * n_columns)
        Block k holds `values` delayed by delays[k].
    """
    n_rows, n_columns = values.shape
    delayed = np.zeros((n_rows, len(delays), n_columns), dtype=values.dtype)
    for k, d in enumerate(delays):
        delayed[d:, k] = values[: max(n_rows - d, 0)]
    return delayed.reshape(n_rows, -1)


def zscore(values: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and variance 1; constant columns become 0."""
    centred = values - values.mean(axis=0)
    scale = centred.std(axis=0)
    return centred / np.where(scale > 1e-6 * np.abs(values).max(axis=0, initial=0), scale, np.inf)
