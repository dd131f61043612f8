"""Options of a fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np


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
    solver: Literal["auto", "gram", "kernel", "himalaya"] = "auto"
    fold_seed: int = 0
    search_seed: int = 0
    device: str = "cpu"
    memory_gb: float = 8.0
    voxels_per_block: int | None = None

    @classmethod
    def read(cls, options: Mapping[str, Any], seeds: Mapping[str, int], **more: Any) -> FitOptions:
        """From `fit` and `seeds` of the configuration; keys that are no field are left out."""
        known = {field.name for field in fields(cls)}
        found = {key: value for key, value in options.items() if key in known}
        found["alphas"] = Alphas(**options["alphas"])
        return cls(**found, fold_seed=seeds["folds"], search_seed=seeds["search"], **more)
