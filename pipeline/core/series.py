"""Time series of one story: delayed, centred and scaled, whether they vary at all, correlated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

# What counts as rounding, as a share of a column's largest value. Responses, features and
# predictions are stored in single precision, also where they are computed in double: a stored value
# is wrong by at most half of eps (2^-23) of itself, so a constant column can range over eps of its
# largest value. Eight times that leaves room for the few operations that made the values. What
# truly varies by less takes at most eight of the steps that single precision has there.
ROUNDING = 8 * float(np.finfo(np.float32).eps)
FEWEST_FOR_TOP = 100  # voxels that there must be for a best tenth of them


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


def varies(values: np.ndarray) -> np.ndarray:
    """Whether each column varies: the one rule for what is constant.

    It is relative, so that scaling a column changes nothing. It needs neither the mean, which has
    rounding of its own, nor an array as large as `values`.

    Parameters
    ----------
    values : array of shape (n_rows, n_columns)
        Values, as they were before their mean was taken out.

    Returns
    -------
    array of bool, shape (n_columns,)
        See `range_varies`.
    """
    return range_varies(values.min(axis=0, initial=np.inf), values.max(axis=0, initial=-np.inf))


def range_varies(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Whether columns vary whose smallest and largest values these are.

    Parameters
    ----------
    low, high : arrays of shape (n_columns,)
        Smallest and largest value of each column.

    Returns
    -------
    array of bool, shape (n_columns,)
        False where they differ by no more than `ROUNDING` of the larger magnitude. A column with
        NaN or infinities varies, so that what is made of it is NaN and not a number.
    """
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    with np.errstate(invalid="ignore"):
        spread = high - low
        largest = np.maximum(np.abs(low), np.abs(high))
        return ~((spread <= ROUNDING * largest) & np.isfinite(spread))


def centre(values: np.ndarray) -> np.ndarray:
    """Columns about their means; what does not vary (`varies`) is 0.

    A column of the result has norm 0 if, and only if, it does not vary.

    Parameters
    ----------
    values : array of shape (n_rows, n_columns)
        Of one story, or of several on end.

    Returns
    -------
    array of shape (n_rows, n_columns), float64
    """
    centred = values - values.mean(axis=0, dtype=np.float64)
    centred[:, ~varies(values)] = 0
    return centred


def zscore(values: np.ndarray, constant: float = 0.0) -> np.ndarray:
    """Columns with mean 0 and variance 1.

    Parameters
    ----------
    values : array of shape (n_rows, n_columns)
        Values.
    constant : float
        What columns that do not vary become.

    Returns
    -------
    array of shape (n_rows, n_columns), float64
    """
    return _scaled(values, np.sqrt(len(values)), constant)


def unit(values: np.ndarray, constant: float) -> np.ndarray:
    """Columns with mean 0 and norm 1, so that products of them are Pearson correlations.

    Parameters
    ----------
    values : array of shape (n_rows, n_voxels)
        Predictions or responses of one story.
    constant : float
        What columns that do not vary become: NaN for responses, 0 for predictions, which then say
        nothing (`pipeline.core.series.pearson`).

    Returns
    -------
    array of shape (n_rows, n_voxels), float32
    """
    return _scaled(values, 1.0, constant).astype(np.float32)


def _scaled(values: np.ndarray, norm: float, constant: float) -> np.ndarray:
    """Columns with mean 0 and this norm; what does not vary becomes `constant`."""
    scaled = centre(values)
    found = np.sqrt(np.einsum("ij,ij->j", scaled, scaled))
    scaled /= np.where(found == 0, 1, found / norm)
    scaled[:, found == 0] = constant
    return scaled


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


def neutral(values: np.ndarray, counted: np.ndarray | None) -> np.ndarray:
    """Values whose rows that do not count are the mean of those that do.

    Such a row adds nothing to any variance or covariance about the mean: r is that of the rows that
    count.

    Parameters
    ----------
    values : array of shape (..., n_rows, n_columns)
        Responses or predictions.
    counted : bool array of shape (n_rows,), or None
        None: all rows count.
    """
    if counted is None or counted.all():
        return values
    values = values.copy()
    values[..., ~counted, :] = values[..., counted, :].mean(axis=-2, keepdims=True)
    return values


def top_voxels(chosen_by: np.ndarray, fraction: float = 0.1) -> np.ndarray:
    """Indices of the best ceil(fraction n) of the n voxels whose score is a number.

    None of fewer than `FEWEST_FOR_TOP`: of six regions the best tenth is but one of them.

    Parameters
    ----------
    chosen_by : array of shape (n_voxels,)
        Score to choose by; ties go to the lower index.
    fraction : float
        Share of the voxels.
    """
    valid = np.flatnonzero(~np.isnan(chosen_by))
    n = int(np.ceil(fraction * len(valid))) if len(valid) >= FEWEST_FOR_TOP else 0
    order = np.argsort(-chosen_by[valid], kind="stable")
    return valid[order[:n]]


def top_or_all(chosen_by: np.ndarray) -> np.ndarray:
    """The voxels that models are compared in: the best tenth, all where there are too few."""
    best = top_voxels(chosen_by)
    return best if len(best) else np.arange(len(chosen_by))


def mean_of(values: np.ndarray, voxels: np.ndarray) -> np.ndarray:
    """Mean over some voxels of values (..., n_voxels), NaN left out; NaN where there is none."""
    if not len(voxels):
        return np.full(values.shape[:-1], np.nan)
    return np.asarray(np.nanmean(values[..., voxels], axis=-1))


def mean_over_stories(values: Iterable[np.ndarray]) -> np.ndarray:
    """Mean of arrays (..., n_voxels), one a story; stories in which a voxel is NaN are left out."""
    total: np.ndarray | float = 0.0
    n: np.ndarray | float = 0.0
    for value in values:
        constant = np.isnan(value.reshape(-1, value.shape[-1])[:1]).any(axis=0)  # in this story
        total = total + np.where(constant, np.float32(0), value)
        n = n + (~constant).astype(np.float32)
    return total / np.where(n > 0, n, np.float32(np.nan))
