"""What the search tries: relative scalings of the bands, and regularisations."""

from __future__ import annotations

from typing import Any

import numpy as np
from himalaya.kernel_ridge import generate_dirichlet_samples

CONCENTRATIONS = [0.1, 1.0]  # sparse and even mixtures of bands in turn


def band_scalings(n_bands: int, n_scalings: int, seed: int) -> np.ndarray:
    """Candidate scalings of the bands: equal shares, then Dirichlet draws (himalaya's).

    Parameters
    ----------
    n_bands : int
        Bands of the model.
    n_scalings : int
        Candidates; with one band there is only one.
    seed : int
        Seed of the draws.

    Returns
    -------
    array of shape (n_scalings, n_bands)
        Non-negative, rows summing to one. A band's columns are scaled by the square root.
    """
    if n_bands == 1:
        return np.ones((1, 1))
    scalings = np.asarray(
        generate_dirichlet_samples(n_scalings, n_bands, CONCENTRATIONS, random_state=seed)
    )
    scalings[0] = 1 / n_bands
    return scalings


def alphas(options: dict[str, Any]) -> np.ndarray:
    """Regularisations, ascending, array of shape (n_alphas,); `options` is config fit.alphas."""
    return np.logspace(options["min"], options["max"], options["n"])


def story_folds(stories: list[str], n_rows: dict[str, int], n_folds: int, seed: int) -> np.ndarray:
    """Assign whole stories to folds of nearly equal numbers of rows.

    Stories are shuffled, then each goes to the fold that has the fewest rows so far.

    Parameters
    ----------
    stories : list of str
        Training stories.
    n_rows : dict of str to int
        Rows of each.
    n_folds : int
        Folds.
    seed : int
        Seed of the shuffle.

    Returns
    -------
    array of int, shape (n_stories,)
        Fold of each story; every fold has at least one.
    """
    folds = np.zeros(len(stories), dtype=int)
    filled = np.zeros(n_folds)
    for i in np.random.default_rng(seed).permutation(len(stories)):
        folds[i] = filled.argmin()
        filled[folds[i]] += n_rows[stories[i]]
    return folds
