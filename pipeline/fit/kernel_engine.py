"""Banded ridge on kernel matrices, for designs with more columns than rows.

With K = sum of X_b X_b' / alpha_b over the wide bands, the weights' duals are (K + I)^-1 (y - U u),
U being the narrow columns and the intercept (see `pipeline.fit.elimination`). One kernel a band
holds all training rows; leaving folds out takes rows and columns, few runs of them as rows are
sorted by fold.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.fit.design import Design
from pipeline.fit.elimination import LeftOut, Remainder, runs, split
from pipeline.fit.linalg import SMALL, Array, Backend, single_is_safe
from pipeline.fit.regression import Regression

MARGIN = 1000  # duals grow as 1 / alpha where rows exceed the design's rank: they cancel


class Kernels:
    """Kernels of the bands that do not differ with the folds left out, made once.

    Parameters
    ----------
    design : Design
        The bands.
    """

    def __init__(self, design: Design) -> None:
        self._fixed: dict[str, Kernel | None] = {
            band.name: None for band in design.bands if not band.remade
        }

    def made(self, name: str, rows: np.ndarray, backend: Backend) -> Kernel:
        """The kernel of a band's rows, (n_rows, n_columns)."""
        kernel = self._fixed.get(name) or Kernel.of_rows(rows.astype(np.float64), backend)
        if name in self._fixed:
            self._fixed[name] = kernel
        return kernel


@dataclass(frozen=True)
class Kernel:
    """The kernel of a band, all training rows, in double precision; and its trace."""

    double: Array
    trace: float
    backend: Backend

    @classmethod
    def of_rows(cls, rows: np.ndarray, backend: Backend) -> Kernel:
        """Of centred rows, (n_rows, n_columns), double."""
        return cls(backend.put(rows @ rows.T), float(np.square(rows).sum()), backend)

    @cached_property
    def single(self) -> Array:
        """In single precision."""
        return self.backend.cast(self.double, double=False)

    def of(self, double: bool) -> Array:
        """In double precision or single."""
        return self.double if double else self.single


class KernelEngine:
    """Candidates solved on kernel matrices (see `pipeline.fit.search.Engine`).

    Parameters
    ----------
    regression : Regression
        Design, responses, folds and alphas.
    backend : Backend
        Where it is computed.
    kernels : Kernels, optional
        Those that engines of other folds left out made.
    """

    def __init__(
        self, regression: Regression, backend: Backend, kernels: Kernels | None = None
    ) -> None:
        self.backend, self.slices = backend, regression.design.slices
        self.split = split(regression.design)
        stories = sorted(regression.stories(), key=regression.folds.__getitem__)
        n_rows = [len(regression.responses[s]) for s in stories]
        self.fold = np.repeat([regression.folds[s] for s in stories], n_rows)
        self.size = len(self.fold)
        self.rows, self.row_mean = _centred([regression.design.rows(s) for s in stories])
        self.responses, self.mean = _centred([regression.responses[s] for s in stories])
        narrow = self.rows[:, self.split.narrow_columns]
        self.narrow = np.append(narrow, np.ones((self.size, 1), np.float32), axis=1)
        made = (kernels or Kernels(regression.design)).made
        bands = regression.design.bands
        self._kernels = [
            made(bands[b].name, self.rows[:, self.slices[b]], backend) for b in self.split.wide
        ]

    def mixed(self, alphas: np.ndarray) -> KernelMixed:
        """See `pipeline.fit.search.Engine.mixed`."""
        trace = float(np.sum([kernel.trace for kernel in self._kernels] / alphas))
        double = self.size <= SMALL or not single_is_safe(trace, MARGIN)
        first, *others = np.flatnonzero(np.isfinite(alphas))
        kernel = self._kernels[first].of(double) * float(1 / alphas[first])
        for band in others:
            kernel += self._kernels[band].of(double) * float(1 / alphas[band])
        return KernelMixed(self, alphas, kernel, double)

    def runs_of(self, folds: tuple[int, ...], inside: bool) -> list[slice]:
        """Rows inside or outside some folds, as few slices as there can be."""
        return runs(np.isin(self.fold, folds) == inside)


def _centred(parts: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of all parts about their mean, float32, and the mean, double."""
    rows = np.concatenate(parts)
    mean = rows.mean(axis=0, dtype=np.float64)
    return (rows - mean).astype(np.float32), mean


@dataclass(frozen=True)
class KernelMixed:
    """The kernel of all rows at some alphas (see `pipeline.fit.search.Mixed`)."""

    engine: KernelEngine
    alphas: np.ndarray
    kernel: Array
    double: bool

    def solve(self, out: tuple[int, ...], voxels: np.ndarray) -> KernelSolved:
        """See `pipeline.fit.search.Mixed.solve`."""
        engine = self.engine
        train = np.flatnonzero(~np.isin(engine.fold, out))
        rhs = np.concatenate([engine.responses[train][:, voxels], engine.narrow[train]], axis=1)
        rhs = engine.backend.cast(engine.backend.put(rhs), self.double)
        rows = engine.runs_of(out, inside=False)
        kernel = engine.backend.block(self.kernel, rows, rows)
        dual = engine.backend.solve(kernel, np.ones(len(train)), rhs)
        return KernelSolved(self, out, train, voxels, dual)


@dataclass(frozen=True)
class KernelSolved:
    """Duals of responses and narrow columns (see `pipeline.fit.search.Solved`)."""

    mixed: KernelMixed
    out: tuple[int, ...]
    train: np.ndarray
    voxels: np.ndarray
    dual: Array  # (n_rows, n_voxels + n_narrow_columns)

    @cached_property
    def remainder(self) -> Remainder:
        """See `pipeline.fit.search.Solved.remainder`."""
        engine = self.mixed.engine
        narrow = engine.backend.cast(
            engine.backend.put(engine.narrow[self.train]), self.mixed.double
        )
        product = engine.backend.get(narrow.T @ self.dual).astype(np.float64)
        n = len(self.voxels)
        return Remainder(product[:, n:], product[:, :n], engine.split.narrow_bands)

    def left_out(self, fold: int) -> LeftOut:
        """See `pipeline.fit.search.Solved.left_out`."""
        engine, n = self.mixed.engine, len(self.voxels)
        test = np.flatnonzero(engine.fold == fold)
        rows, columns = engine.runs_of((fold,), inside=True), engine.runs_of(self.out, inside=False)
        kernel = engine.backend.block(self.mixed.kernel, rows, columns)
        predicted = engine.backend.get(kernel @ self.dual).astype(np.float64)
        predicted[:, n:] = engine.narrow[test] - predicted[:, n:]
        predicted -= predicted.mean(axis=0)
        p, P = predicted[:, :n], predicted[:, n:]
        y = engine.responses[test][:, self.voxels].astype(np.float64)
        total = np.square(y).sum(axis=0)
        y -= y.mean(axis=0)
        yy = np.square(y).sum(axis=0)
        yy[yy < 1e-10 * total] = 0  # constant but for rounding
        return LeftOut((p * y).sum(axis=0), (p * p).sum(axis=0), yy, P.T @ y, P.T @ p, P.T @ P)

    def hinted(self, fold: int) -> LeftOut:
        """See `pipeline.fit.search.Solved.hinted`: as it is, which costs little here."""
        return self.left_out(fold)

    def weights(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `pipeline.fit.search.Solved.weights`."""
        engine, n = self.mixed.engine, len(self.voxels)
        dual = engine.backend.get(self.dual)
        dual = dual[:, :n] - dual[:, n:] @ u.astype(dual.dtype)
        rows = engine.rows[self.train].astype(dual.dtype, copy=False)
        weights = np.empty((engine.slices[-1].stop, n))
        weights[engine.split.narrow_columns] = u[:-1]
        for band, alpha in zip(engine.split.wide, self.mixed.alphas, strict=True):
            weights[engine.slices[band]] = rows[:, engine.slices[band]].T @ dual / alpha
        intercept = u[-1] + engine.mean[self.voxels] - engine.row_mean @ weights
        return weights.astype(np.float32), intercept.astype(np.float32)
