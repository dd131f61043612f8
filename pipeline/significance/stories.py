"""Predictions and responses of the test stories, made ready for correlations."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def unit(values: np.ndarray, constant: float) -> np.ndarray:
    """Columns with mean 0 and norm 1, so that products of them are Pearson correlations.

    Parameters
    ----------
    values : array of shape (n_rows, n_voxels)
        Predictions or responses of one story.
    constant : float
        What columns that do not vary become: NaN for responses, 0 for predictions, which then say
        nothing (`pipeline.score.pearson`).

    Returns
    -------
    array of shape (n_rows, n_voxels), float32
    """
    centred = values - values.mean(axis=0, dtype=np.float64)
    norm = np.sqrt(np.einsum("ij,ij->j", centred, centred))
    varies = norm > np.finfo(np.float32).eps
    centred /= np.where(varies, norm, 1)
    centred[:, ~varies] = constant
    return centred.astype(np.float32)


def mean_over_stories(values: Iterable[np.ndarray]) -> np.ndarray:
    """Mean of arrays (..., n_voxels), one a story; stories in which a voxel is NaN are left out."""
    total: np.ndarray | float = 0.0
    n: np.ndarray | float = 0.0
    for value in values:
        constant = np.isnan(value.reshape(-1, value.shape[-1])[0])  # in this story
        total = total + np.where(constant, np.float32(0), value)
        n = n + (~constant).astype(np.float32)
    return total / np.where(n > 0, n, np.float32(np.nan))
