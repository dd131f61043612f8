"""What the search tries, and on which folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.core.errors import Problem, ProblemError

CONCENTRATIONS = [0.1, 1.0]  # sparse and even mixtures of bands in turn


def band_scalings(n_bands: int, n_scalings: int, seed: int) -> np.ndarray:
    """Candidate scalings of the bands: equal shares, then the Dirichlet draws of himalaya's search.

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
    random = np.random.RandomState(seed)
    n_each = -(-n_scalings // len(CONCENTRATIONS))
    draws = [random.dirichlet(np.full(n_bands, c), n_each) for c in CONCENTRATIONS]
    scalings = np.stack(draws, axis=1).reshape(-1, n_bands)[:n_scalings]
    scalings[0] = 1 / n_bands
    return scalings


def training_folds(
    train: Sequence[str], n_rows: Mapping[str, int], n_folds: int, seed: int
) -> dict[str, int]:
    """Assign whole training stories to folds of nearly equal numbers of rows.

    Stories are shuffled, then each goes to the fold that has the fewest rows so far.

    Parameters
    ----------
    train : sequence of str
        Training stories.
    n_rows : mapping of str to int
        Rows of each.
    n_folds : int
        Folds.
    seed : int
        Seed of the shuffle.

    Returns
    -------
    dict of str to int
        Fold of each story, in the order of `train`; every fold has at least one.

    Raises
    ------
    ProblemError
        If there are fewer stories than folds.
    """
    if len(train) < n_folds:
        what = f"{len(train)} training stories for {n_folds} folds of whole stories"
        raise ProblemError(Problem("fit.n_folds", "", what, "lower it or add stories"))
    folds = np.zeros(len(train), dtype=int)
    filled = np.zeros(n_folds)
    for i in np.random.default_rng(seed).permutation(len(train)):
        folds[i] = filled.argmin()
        filled[folds[i]] += n_rows[train[i]]
    return dict(zip(train, folds.tolist(), strict=True))
