"""When a voxel answers: the FIR of a band as one course over delays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WIDTH_OF_SD = 2.3548  # full width at half maximum of a Gaussian, in standard deviations


@dataclass(frozen=True, eq=False)
class Timing:
    """The course of the response to a band over its delays.

    Parameters
    ----------
    course : array of shape (n_delays, n_voxels)
        Of norm one, its sum positive; NaN where the weights are zero.
    peak : array of shape (n_voxels,)
        Delay of its largest value, seconds: the vertex of the parabola through that and its
        neighbours, within the delays.
    width : array of shape (n_voxels,)
        Full width at half maximum of a Gaussian with the standard deviation over delays of the
        course's positive part, seconds; it cannot be wider than the delays let it.
    separable : array of shape (n_voxels,)
        Share of the squared weights that one course, the same for all columns, explains.
    """

    course: np.ndarray
    peak: np.ndarray
    width: np.ndarray
    separable: np.ndarray


def timing(weights: np.ndarray, delays: Sequence[int], tr: float) -> Timing:
    """The best single course of a band's FIR: its first singular vector over delays.

    Parameters
    ----------
    weights : array of shape (n_delays, n_columns, n_voxels)
        Weights of the band.
    delays : sequence of int
        Ascending, TRs.
    tr : float
        Seconds.
    """
    gram = np.einsum("dcv,ecv->vde", weights, weights, dtype=np.float64, optimize=True)
    values, vectors = np.linalg.eigh(gram)
    total = values.sum(axis=1)
    course = vectors[:, :, -1].T * np.sign(vectors[:, :, -1].sum(axis=1))
    course = np.where(total > 0, course, np.nan)
    separable = np.divide(values[:, -1], total, out=np.full(len(total), np.nan), where=total > 0)
    seconds = np.asarray(delays, float) * tr
    positive = np.clip(course, 0, None)
    mass = positive.sum(axis=0)
    centre = seconds @ positive / mass
    variance = np.square(seconds[:, None] - centre) * positive
    return Timing(
        course,
        _peak(course, seconds),
        WIDTH_OF_SD * np.sqrt(variance.sum(axis=0) / mass),
        separable,
    )


def _peak(course: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Vertex of the parabola through the largest value and its neighbours."""
    known = ~np.isnan(course[0])
    top = np.nan_to_num(course).argmax(axis=0)
    peak = np.where(known, seconds[top], np.nan)
    inner = np.flatnonzero(known & (top > 0) & (top < len(seconds) - 1))
    if not len(inner):
        return peak
    x = np.stack([seconds[top[inner] + k] for k in (-1, 0, 1)])
    y = np.stack([course[top[inner] + k, inner] for k in (-1, 0, 1)])
    # Newton's form of the parabola through three points.
    first, second = (y[1] - y[0]) / (x[1] - x[0]), (y[2] - y[1]) / (x[2] - x[1])
    bend = (second - first) / (x[2] - x[0])
    flat = bend >= 0
    vertex = (x[0] + x[1]) / 2 - first / (2 * np.where(flat, -1, bend))
    peak[inner] = np.where(flat, x[1], np.clip(vertex, x[0], x[2]))
    return peak
