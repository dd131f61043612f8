"""Banded ridge by himalaya's estimators: kernel or primal, by the shape of the design."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from himalaya.backend import get_backend, set_backend
from himalaya.kernel_ridge import solve_multiple_kernel_ridge_random_search
from himalaya.ridge import solve_group_ridge_random_search
from himalaya.scoring import correlation_score
from sklearn.model_selection import PredefinedSplit

from pipeline.fit.regression import Regression, Ridge


class HimalayaSolver:
    """Random search of himalaya over the regression's scalings, alphas chosen per voxel by r.

    Parameters
    ----------
    regression : Regression
        Design, responses, folds and candidates.
    device : str
        "cpu" (NumPy), or "cuda" for himalaya's PyTorch backend.
    """

    def __init__(self, regression: Regression, device: str = "cpu") -> None:
        self.regression = regression
        # himalaya would fall back to NumPy with a warning: then it is not what was asked for.
        set_backend("numpy" if device == "cpu" else f"torch_{device}", on_error="raise")

    @cached_property
    def _rows(self) -> dict[str, np.ndarray]:
        return {story: self.regression.design.rows(story) for story in self.regression.stories()}

    def fit(self, exclude: int | None) -> Ridge:
        """See `pipeline.fit.regression.Solver.fit`."""
        stories = self.regression.stories(exclude)
        X = np.concatenate([self._rows[s] for s in stories])
        Y = np.concatenate([self.regression.responses[s] for s in stories])
        fold_of_row = np.concatenate(
            [np.full(len(self._rows[s]), self.regression.folds[s]) for s in stories]
        )
        n_bands, scalings = len(self.regression.design.bands), self.regression.scalings
        if scalings is None:
            scalings = np.full((1, n_bands), 1 / n_bands)
        search = {
            "n_iter": scalings.astype(X.dtype),
            "alphas": self.regression.alphas.astype(X.dtype),
            "score_func": correlation_score,
            "cv": PredefinedSplit(fold_of_row),
            "fit_intercept": True,
            "progress_bar": False,
        }
        solve = _kernel if X.shape[1] > X.shape[0] else _primal
        deltas, weights, intercept, scores = solve(X, Y, self.regression.design.slices, search)
        # himalaya gives log(scaling / alpha).
        return Ridge(weights, intercept, np.exp(-deltas.astype(np.float64)), scores.max(axis=0))


def _primal(
    X: np.ndarray, Y: np.ndarray, slices: list[slice], search: dict
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    Xs = [X[:, part] for part in slices]
    deltas, weights, scores, intercept = solve_group_ridge_random_search(
        Xs, Y, return_weights=True, warn=False, **search
    )
    return _numpy(deltas), _numpy(weights), _numpy(intercept), _numpy(scores)


def _kernel(
    X: np.ndarray, Y: np.ndarray, slices: list[slice], search: dict
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    mean = X.mean(axis=0)
    X = X - mean
    kernels = np.stack([X[:, part] @ X[:, part].T for part in slices])
    deltas, dual, scores, _ = map(
        _numpy,
        solve_multiple_kernel_ridge_random_search(kernels, Y, return_weights="dual", **search),
    )
    weights = np.concatenate(
        [np.exp(delta) * (X[:, part].T @ dual) for part, delta in zip(slices, deltas, strict=True)]
    )
    return deltas, weights, Y.mean(axis=0) - mean @ weights, scores


def _numpy(values: Any) -> np.ndarray:
    """An array of himalaya's backend, whichever that is, in the processor's memory."""
    return get_backend().to_numpy(values)
