"""Options of a fit, and what follows from them: scalings that are tried, folds of stories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

from pipeline.core.errors import Problem, ProblemError

CONCENTRATIONS = [0.1, 1.0]  # sparse and even mixtures of bands in turn


@dataclass(frozen=True)
class Alphas:
    """The grid of regularisations, evenly spaced in the logarithm.

    Parameters
    ----------
    min, max : float
        log10 of the smallest and of the largest.
    n : int
        How many.
    """

    min: float
    max: float
    n: int

    def values(self) -> np.ndarray:
        """The regularisations, ascending, array of shape (n,)."""
        return np.logspace(self.min, self.max, self.n)


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """How a model is fitted: `fit` of the configuration (docs/configuration.md says each).

    Parameters
    ----------
    n_folds : int
        Folds of whole stories.
    alphas : Alphas
        Regularisations of a band that are tried.
    refinements : int
        Rounds in which the search moves single bands' alphas, at most.
    n_scalings : int
        Candidates of himalaya's random search.
    reference_voxels : int
        Voxels that say what is tried.
    solver : {"auto", "gram", "kernel", "himalaya"}
        What solves the systems.
    fold_seed, search_seed : int
        Seeds of the folds and of himalaya's search.
    device : str
        "cpu", or PyTorch's name of a GPU.
    memory_gb : float
        Memory of the fit, GB.
    voxels_per_block : int or None
        Voxels fitted at a time (None: as many as the memory holds).
    """

    n_folds: int
    alphas: Alphas
    refinements: int
    n_scalings: int
    reference_voxels: int
    solver: Literal["auto", "gram", "kernel", "himalaya"]
    fold_seed: int
    search_seed: int
    device: str
    memory_gb: float
    voxels_per_block: int | None

    @classmethod
    def read(
        cls, options: Mapping[str, Any], seeds: Mapping[str, int], voxels_per_block: int | None
    ) -> FitOptions:
        """From `fit`, `seeds` and `voxels_per_block` of the configuration; what else is in `fit`
        is left out.
        """
        known = {field.name for field in fields(cls)}
        found = {key: value for key, value in options.items() if key in known}
        found["alphas"] = Alphas(**options["alphas"])
        found |= {"fold_seed": seeds["folds"], "search_seed": seeds["search"]}
        return cls(**found, voxels_per_block=voxels_per_block)


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
