"""Pearson correlations per voxel, and the means that are reported."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


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
    predicted = predicted - predicted.mean(axis=0, dtype=np.float64)
    measured = measured - measured.mean(axis=0, dtype=np.float64)
    covariance = np.einsum("ij,ij->j", predicted, measured)
    norm_p = np.sqrt(np.einsum("ij,ij->j", predicted, predicted))
    norm_m = np.sqrt(np.einsum("ij,ij->j", measured, measured))
    tiny = np.finfo(np.float32).eps
    constant = norm_m <= tiny
    empty = norm_p <= tiny * np.maximum(norm_m, 1)
    r = np.divide(
        covariance, norm_p * norm_m, out=np.zeros_like(covariance), where=~empty & ~constant
    )
    return np.where(constant, np.nan, r)


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


def unit(values: np.ndarray, constant: float) -> np.ndarray:
    """Columns with mean 0 and norm 1, so that products of them are Pearson correlations.

    Parameters
    ----------
    values : array of shape (n_rows, n_voxels)
        Predictions or responses of one story.
    constant : float
        What columns that do not vary become: NaN for responses, 0 for predictions, which then say
        nothing (`pipeline.core.correlation.pearson`).

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
