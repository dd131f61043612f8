"""Voxel values at any point of the brain, by one sparse matrix for all maps."""

from __future__ import annotations

from itertools import product

import numpy as np
from nibabel.affines import apply_affine
from scipy import sparse

from pipeline.voxels.volume import Mask

DEPTHS = np.linspace(0, 1, 7)  # from white to pial surface


def interpolation_matrix(mask: Mask, points: np.ndarray) -> sparse.csr_array:
    """Weights of trilinear interpolation between the voxels of a mask.

    Parameters
    ----------
    mask : Mask
        The voxels.
    points : array of shape (n_points, 3)
        World coordinates (x, y, z), mm.

    Returns
    -------
    csr_array, shape (n_points, n_voxels)
        A row sums to 1 between voxels of the mask, to less at its rim, and to 0 outside.
    """
    index = np.full(mask.img.shape, -1)
    index[tuple(mask.voxels.T)] = np.arange(mask.n_voxels)
    index = np.pad(index, 1, constant_values=-1)
    ijk = apply_affine(np.linalg.inv(mask.img.affine), points) + 1
    inside = np.flatnonzero(np.all((ijk >= 0) & (ijk < np.array(index.shape) - 1), axis=1))
    low = np.floor(ijk[inside]).astype(int)
    fraction = ijk[inside] - low

    rows, columns, weights = [], [], []
    for corner in product((0, 1), repeat=3):
        voxel = index[tuple((low + corner).T)]
        weight = np.prod(np.where(corner, fraction, 1 - fraction), axis=1)
        kept = (voxel >= 0) & (weight > 0)
        rows.append(inside[kept])
        columns.append(voxel[kept])
        weights.append(weight[kept])
    entries = (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_array(entries, shape=(len(points), mask.n_voxels))


def weighted_mean(matrix: sparse.csr_array, values: np.ndarray, coverage: float) -> np.ndarray:
    """Average over finite values only, so that "no value" is neither 0 nor contagious.

    Parameters
    ----------
    matrix : csr_array, shape (n_points, n_values)
        Weights, which sum to at most 1 a row.
    values : array of shape (n_values,)
        NaN where there is no value.
    coverage : float
        Share of a point's weight that must lie on finite values.

    Returns
    -------
    array of shape (n_points,)
        NaN where the coverage is not reached.
    """
    finite = np.isfinite(values)
    weight = matrix @ finite.astype(float)
    total = matrix @ np.where(finite, values, 0.0)
    covered = (weight >= coverage) & (weight > 0)
    return np.where(covered, total / np.where(covered, weight, 1.0), np.nan)
