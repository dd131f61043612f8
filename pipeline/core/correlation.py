"""Pearson correlations per voxel, and the means that are reported."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pipeline.core.series import centre


def pearson(predicted: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Pearson correlation of each column.

    Parameters
    ----------
    predicted, measured : arrays of shape (n_rows, n_voxels)
        Predictions and responses of one story, or of several on end.

    Returns
    -------
    array of shape (n_voxels,)
        NaN where the response does not vary; 0 where only the prediction does not, as it then says
        nothing of the response.
    """
    predicted, measured = centre(predicted), centre(measured)
    covariance = np.einsum("ij,ij->j", predicted, measured)
    norm_p = np.sqrt(np.einsum("ij,ij->j", predicted, predicted))
    norm_m = np.sqrt(np.einsum("ij,ij->j", measured, measured))
    norm = np.where(norm_p == 0, 1, norm_p) * np.where(norm_m == 0, np.nan, norm_m)
    return covariance / norm


def top_voxels(chosen_by: np.ndarray, fraction: float = 0.1) -> np.ndarray:
    """Indices of the best ceil(fraction n) of the n voxels whose score is a number.

    Parameters
    ----------
    chosen_by : array of shape (n_voxels,)
        Score to choose by; ties go to the lower index.
    fraction : float
        Share of the voxels.
    """
    valid = np.flatnonzero(~np.isnan(chosen_by))
    n = int(np.ceil(fraction * len(valid)))
    order = np.argsort(-chosen_by[valid], kind="stable")
    return valid[order[:n]]


def mean_over_stories(values: Iterable[np.ndarray]) -> np.ndarray:
    """Mean of arrays (..., n_voxels), one a story; stories in which a voxel is NaN are left out."""
    total: np.ndarray | float = 0.0
    n: np.ndarray | float = 0.0
    for value in values:
        constant = np.isnan(value.reshape(-1, value.shape[-1])[0])  # in this story
        total = total + np.where(constant, np.float32(0), value)
        n = n + (~constant).astype(np.float32)
    return total / np.where(n > 0, n, np.float32(np.nan))
