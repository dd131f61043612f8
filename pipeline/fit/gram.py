"""Banded ridge on Gram matrices, for designs with more rows than columns.

X'X and X'Y are summed once for each fold. Leaving folds out is then a subtraction, and scaling a
band multiplies rows and columns, so that no candidate touches the time series again. Each candidate
costs one Cholesky factorisation, some twenty times cheaper here than the eigendecomposition that
would serve all alphas. Scores come from the left-out fold's Gram matrix as well: with predictions
X w, cov(X w, y) = w'X'y and var(X w) = w'X'X w.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.fit.base import Problem
from pipeline.fit.grams import fold_grams
from pipeline.fit.linalg import Array, Backend, System


@dataclass(frozen=True)
class Moments:
    """Sums over the rows of some stories, of which sums and differences can be taken.

    Parameters
    ----------
    n : int
        Rows.
    x, y : arrays of shape (n_columns,), (n_voxels,)
        Column sums of the design and of the responses, double.
    xx : array of shape (n_columns, n_columns)
        X'X, double.
    xy : array of shape (n_columns, n_voxels)
        X'Y, single: its rounding is small beside any sampling error, and it is the largest.
    yy : array of shape (n_voxels,)
        Sums of squared responses, double.
    """

    n: int
    x: Array
    y: Array
    xx: Array
    xy: Array
    yy: Array

    def __add__(self, other: Moments) -> Moments:
        return Moments(*(getattr(self, k) + getattr(other, k) for k in self.__annotations__))

    def __sub__(self, other: Moments) -> Moments:
        return Moments(*(getattr(self, k) - getattr(other, k) for k in self.__annotations__))

    def centred_xx(self) -> Array:
        """X'X about the means of these rows."""
        return self.xx - self.x[:, None] * (self.x / self.n)

    def centred(self, backend: Backend) -> Moments:
        """The same about the means of these rows; `x` and `y` are kept, as they give the means."""
        product = backend.cast(self.x[:, None], double=False) * backend.cast(
            self.y / self.n, double=False
        )
        return Moments(
            self.n,
            self.x,
            self.y,
            self.centred_xx(),
            self.xy - product,
            self.yy - self.y * self.y / self.n,
        )


class GramEngine:
    """Candidates solved on Gram matrices (see `pipeline.fit.search.Engine`).

    Parameters
    ----------
    problem : Problem
        Design, responses, folds and candidates.
    backend : Backend
        Where it is computed.
    grams : sequence of arrays of shape (n_columns, n_columns), optional
        X'X of each fold (`pipeline.fit.grams.fold_grams`); made here if not given.
    """

    def __init__(
        self, problem: Problem, backend: Backend, grams: Sequence[np.ndarray] | None = None
    ) -> None:
        self.backend = backend
        bands = problem.design.bands
        self.bands = np.repeat(np.arange(len(bands)), [band.n_columns for band in bands])
        self.size = len(self.bands)
        grams = grams or fold_grams(bands, problem.folds)
        self.folds = [self._moments(problem, k, xx) for k, xx in enumerate(grams)]
        self._total = self.folds[0]
        for fold in self.folds[1:]:
            self._total = self._total + fold
        # Scores need each fold about its own means; single precision is enough for a correlation.
        self.single = [backend.cast(fold.centred_xx(), double=False) for fold in self.folds]

    def _moments(self, problem: Problem, fold: int, xx: np.ndarray) -> Moments:
        """Moments of a fold; X'Y is summed one story at a time."""
        n, x, y, yy = 0, np.zeros(len(xx)), np.zeros(problem.n_voxels), np.zeros(problem.n_voxels)
        xy = np.zeros((len(xx), problem.n_voxels), np.float32)
        for story in (s for s, f in problem.folds.items() if f == fold):
            rows, responses = problem.design.rows(story), problem.responses[story]
            n += len(rows)
            x += rows.sum(axis=0, dtype=np.float64)
            y += responses.sum(axis=0, dtype=np.float64)
            xy += rows.T @ responses
            yy += np.einsum("ij,ij->j", responses, responses, dtype=np.float64)
        put = self.backend.put
        return Moments(n, put(x), put(y), put(xx), put(xy), put(yy))

    def training(self, out: tuple[int, ...]) -> GramTraining:
        """See `pipeline.fit.search.Engine.training`."""
        train = self._total
        for fold in out:
            train = train - self.folds[fold]
        return GramTraining(self, train.centred(self.backend))


class GramTraining:
    """Centred moments of the training stories (see `pipeline.fit.search.Training`)."""

    def __init__(self, engine: GramEngine, moments: Moments) -> None:
        self.engine, self.moments = engine, moments
        self._diagonal = engine.backend.get(moments.xx.diagonal())
        self._single: Array = None

    def scaled(self, scaling: np.ndarray) -> GramScaled:
        """See `pipeline.fit.search.Training.scaled`."""
        backend = self.engine.backend
        factors = np.sqrt(scaling)[self.engine.bands]
        trace = float(factors**2 @ self._diagonal)
        factor = backend.put(factors)

        def build(double: bool) -> Array:
            column = backend.cast(factor, double)
            matrix = self._xx(double) * column
            matrix *= column[:, None]
            return matrix

        system = System(build, len(factors), trace, backend)
        return GramScaled(
            self.engine, system, backend.cast(factor, False)[:, None], self.moments.xy
        )

    def _xx(self, double: bool) -> Array:
        if double:
            return self.moments.xx
        if self._single is None:
            self._single = self.engine.backend.cast(self.moments.xx, double=False)
        return self._single

    def intercept(self, weights: np.ndarray) -> np.ndarray:
        """See `pipeline.fit.search.Training.intercept`."""
        get, moments = self.engine.backend.get, self.moments
        sums = get(moments.y) - get(moments.x) @ weights
        return (sums / moments.n).astype(np.float32)


@dataclass(frozen=True)
class GramScaled:
    """The scaled Gram matrix (see `pipeline.fit.search.Scaled`); coefficients are weights."""

    engine: GramEngine
    system: System
    factor: Array
    xy: Array

    def solve(self, alpha: float, voxels: np.ndarray) -> Array:
        """See `pipeline.fit.search.Scaled.solve`."""
        solution = self.system.solve(alpha, self.factor * self.xy[:, voxels])
        return self.factor * self.engine.backend.cast(solution, double=False)

    def r(self, coefficients: Array, fold: int, voxels: np.ndarray) -> np.ndarray:
        """See `pipeline.fit.search.Scaled.r`."""
        backend, test = self.engine.backend, self.engine.folds[fold]
        covariance = backend.get((coefficients * test.xy[:, voxels]).sum(0))
        predicted = backend.get(backend.cast(test.x, double=False) @ coefficients)
        y, yy = backend.get(test.y)[voxels], backend.get(test.yy)[voxels]
        covariance = covariance - predicted * y / test.n
        variance = backend.get(backend.quadratic(self.engine.single[fold], coefficients))
        scale = np.sqrt(variance.clip(0) * (yy - y * y / test.n).clip(0))
        r = np.zeros(len(voxels))
        return np.divide(covariance, scale, out=r, where=scale > 1e-12)

    def weights(self, coefficients: Array) -> np.ndarray:
        """See `pipeline.fit.search.Scaled.weights`."""
        return self.engine.backend.get(coefficients)
