"""Are the alphas searched wide enough? How many voxels want one at an edge of the grid."""

from __future__ import annotations

import logging

import numpy as np

from pipeline.fit.options import Alphas

MANY = 0.05  # warn when more of the predicted voxels than this want an alpha at an edge


def at_edges(
    alpha: np.ndarray, r_train: np.ndarray, r_cv: np.ndarray, grid: Alphas
) -> dict[str, float]:
    """Fractions of the predicted voxels with an alpha at an edge of the grid; warn when many.

    At the smallest: any band. At the largest: all bands, as single ones may well be left out. A
    voxel counts as predicted if its out-of-fold r is two standard errors (over stories) above 0:
    the others take large alphas whatever the range.

    Parameters
    ----------
    alpha : array of shape (n_bands, n_voxels)
        Chosen penalties.
    r_train, r_cv : arrays of shape (n_train, n_voxels) and (n_voxels,)
        Out-of-fold r of the training stories, and its mean.
    grid : Alphas
        The grid of the search.

    Returns
    -------
    dict
        Attributes of a fit, `alpha_at_min` and `alpha_at_max`.
    """
    exponent = np.log10(alpha)
    predicted = r_cv > 2 * r_train.std(axis=0, ddof=1) / np.sqrt(len(r_train))
    at_edge = {
        "min": (exponent < grid.min + 1e-3).any(axis=0),
        "max": (exponent > grid.max - 1e-3).all(axis=0),
    }
    fractions = {}
    for edge, at in at_edge.items():
        fraction = float(at[predicted].mean()) if predicted.any() else 0.0
        fractions[f"alpha_at_{edge}"] = fraction
        if fraction > MANY and grid.n > 1:
            logging.warning(
                "%.0f %% of the predicted voxels take the edge alpha 10^%g: widen fit.alphas.%s",
                100 * fraction, getattr(grid, edge), edge,
            )  # fmt: skip
    return fractions
