"""Banded ridge on kernel matrices, for designs with more columns than rows.

With K_b = X_b X_b', the candidate's kernel is the sum of scaling_b K_b, and predictions are
K (K + alpha I)^-1 y. One kernel a band holds all training rows; leaving folds out takes rows and
columns. As the dual weights of a centred fit sum to zero, predictions from the uncentred kernel
differ from the right ones by a constant only, which no correlation sees.
"""

from __future__ import annotations

import numpy as np

from pipeline.fit.base import Problem
from pipeline.fit.linalg import Array, Backend, System
from pipeline.score import pearson

MARGIN = 1000  # dual weights grow as 1 / alpha where rows exceed the design's rank: they cancel


class KernelEngine:
    """Candidates solved on kernel matrices (see `pipeline.fit.search.Engine`).

    Parameters
    ----------
    problem : Problem
        Design, responses, folds and candidates.
    backend : Backend
        Where it is computed.
    """

    def __init__(self, problem: Problem, backend: Backend) -> None:
        self.backend, self.slices = backend, problem.design.slices
        stories = problem.stories()
        self.rows = np.concatenate([problem.design.rows(story) for story in stories])
        self.responses = np.concatenate([problem.responses[story] for story in stories])
        self.fold = np.repeat(
            [problem.folds[s] for s in stories], [len(problem.responses[s]) for s in stories]
        )
        self.size = len(self.rows)
        self.kernels = [backend.put(_kernel(self.rows[:, part])) for part in self.slices]

    def training(self, out: tuple[int, ...]) -> KernelTraining:
        """See `pipeline.fit.search.Engine.training`."""
        rows = np.flatnonzero(~np.isin(self.fold, out))
        responses = self.responses[rows]
        responses = responses - responses.mean(axis=0, dtype=np.float64).astype(np.float32)
        return KernelTraining(self, rows, self.backend.put(responses))


def _kernel(rows: np.ndarray) -> np.ndarray:
    rows = rows.astype(np.float64)
    return rows @ rows.T


class KernelTraining:
    """Kernels of the training rows, centred (see `pipeline.fit.search.Training`)."""

    def __init__(self, engine: KernelEngine, rows: np.ndarray, responses: Array) -> None:
        self.engine, self.rows, self.responses = engine, rows, responses
        kernels = [_centred(kernel[rows[:, None], rows]) for kernel in engine.kernels]
        self._traces = np.array([float(kernel.diagonal().sum()) for kernel in kernels])
        self._kernels: dict[bool, list[Array]] = {True: kernels}

    def scaled(self, scaling: np.ndarray) -> KernelScaled:
        """See `pipeline.fit.search.Training.scaled`."""
        backend = self.engine.backend

        def build(double: bool) -> Array:
            if double not in self._kernels:
                self._kernels[double] = [backend.cast(k, double) for k in self._kernels[True]]
            return _mix(scaling, self._kernels[double])

        trace = float(scaling @ self._traces)
        return KernelScaled(self, scaling, System(build, len(self.rows), trace, backend, MARGIN))

    def intercept(self, weights: np.ndarray) -> np.ndarray:
        """See `pipeline.fit.search.Training.intercept`."""
        rows = self.engine.rows[self.rows].mean(axis=0, dtype=np.float64)
        responses = self.engine.responses[self.rows].mean(axis=0, dtype=np.float64)
        return (responses - rows @ weights).astype(np.float32)


def _centred(kernel: Array) -> Array:
    """The kernel of the rows about their mean."""
    mean = kernel.mean(0)
    kernel = kernel - mean
    kernel -= (mean - mean.mean())[:, None]
    return kernel


class KernelScaled:
    """A candidate's kernel (see `pipeline.fit.search.Scaled`); coefficients are dual weights."""

    def __init__(self, training: KernelTraining, scaling: np.ndarray, system: System) -> None:
        self._training, self._scaling, self._system = training, scaling, system
        self._test: dict[tuple[int, bool], Array] = {}

    def solve(self, alpha: float, voxels: np.ndarray) -> Array:
        """See `pipeline.fit.search.Scaled.solve`."""
        dual = self._system.solve(alpha, self._training.responses[:, voxels])
        return dual - dual.mean(0)  # zero but for rounding, which a small alpha makes large

    def r(self, coefficients: Array, fold: int, voxels: np.ndarray) -> np.ndarray:
        """See `pipeline.fit.search.Scaled.r`."""
        engine = self._training.engine
        test = np.flatnonzero(engine.fold == fold)
        double = coefficients.dtype == engine.kernels[0].dtype
        if (fold, double) not in self._test:
            part = (test[:, None], self._training.rows)
            kernel = _mix(self._scaling, [kernel[part] for kernel in engine.kernels])
            self._test[fold, double] = engine.backend.cast(kernel, double)
        predicted = engine.backend.get(self._test[fold, double] @ coefficients)
        return np.nan_to_num(pearson(predicted, engine.responses[test][:, voxels]))

    def weights(self, coefficients: Array) -> np.ndarray:
        """See `pipeline.fit.search.Scaled.weights`."""
        engine = self._training.engine
        rows, dual = engine.rows[self._training.rows], engine.backend.get(coefficients)
        parts = zip(self._scaling, engine.slices, strict=True)
        weights = [scaling * (rows[:, part].T @ dual) for scaling, part in parts]
        return np.concatenate(weights).astype(np.float32)


def _mix(scaling: np.ndarray, kernels: list[Array]) -> Array:
    return sum(float(s) * kernel for s, kernel in zip(scaling, kernels, strict=True))
