"""What every ridge solver is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pipeline.fit.design import Design


@dataclass(frozen=True)
class Regression:
    """A regression to solve: training stories, one block of voxels.

    Parameters
    ----------
    design : Design
        Bands of the model.
    responses : dict of str to array of shape (n_rows, n_voxels)
        BOLD of the training stories, float32.
    folds : dict of str to int
        Fold of each training story, 0..n_folds-1.
    alphas : array of shape (n_alphas,)
        Candidate regularisations of a band, ascending.
    refinements : int
        Rounds in which the search moves single bands' alphas, at most.
    scalings : array of shape (n_scalings, n_bands), optional
        Candidates of himalaya's random search; equal shares if not given.
    reference : array of int, optional
        Reference voxels (`pipeline.fit.pooling`), by index in the block; all of it if not given.
        Where they are known to a `pipeline.fit.solver.Guide`, which of them each voxel is, -1 where
        it is none. With himalaya every voxel chooses by its own scores.
    """

    design: Design
    responses: dict[str, np.ndarray]
    folds: dict[str, int]
    alphas: np.ndarray
    refinements: int = 0
    scalings: np.ndarray | None = None
    reference: np.ndarray | None = None

    @property
    def n_rows(self) -> int:
        """Training rows."""
        return sum(len(responses) for responses in self.responses.values())

    @property
    def n_voxels(self) -> int:
        """Voxels of the block."""
        return next(iter(self.responses.values())).shape[1]

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return max(self.folds.values()) + 1

    def stories(self, exclude: int | None = None) -> list[str]:
        """Training stories outside the fold `exclude`."""
        return [story for story, fold in self.folds.items() if fold != exclude]


@dataclass(frozen=True)
class Ridge:
    """A fitted banded ridge: predictions are rows @ weights + intercept.

    Parameters
    ----------
    weights : array of shape (n_columns, n_voxels)
        Weights of the unscaled design.
    intercept : array of shape (n_voxels,)
        Intercepts.
    alpha : array of shape (n_bands, n_voxels)
        Chosen regularisation of each band: its columns' squared weights are penalised by so much.
    score : array of shape (n_voxels,)
        Cross-validation r of them (mean over the inner folds); where a voxel is no reference
        voxel it may be interpolated (`pipeline.fit.probes`).
    """

    weights: np.ndarray
    intercept: np.ndarray
    alpha: np.ndarray
    score: np.ndarray

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Predictions (n_rows, n_voxels) for design rows (n_rows, n_columns)."""
        return rows @ self.weights + self.intercept


class Solver(Protocol):
    """A ridge solver over one regression."""

    def fit(self, exclude: int | None) -> Ridge:
        """Choose regularisations per voxel by cross-validation over the folds other
        than `exclude` (None: all folds), then fit on all their stories.
        """
        ...
