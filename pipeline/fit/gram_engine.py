"""Banded ridge on Gram matrices, for designs with more rows than columns.

X'X and X'Y are summed once for each fold; leaving folds out is then a subtraction, and no candidate
touches the time series again. Candidates only add alphas to the diagonal, and cost one Cholesky
factorisation, some twenty times cheaper than an eigendecomposition. Scores come from the left-out
fold's Gram matrix as well: with predictions X w, cov(X w, y) = w'X'y and var(X w) = w'X'X w.

Gram matrices of pairs of bands, summed over the stories of each fold, serve every model that has
both bands and every block of voxels. They are in double precision: they are made once, and
everything rests on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np

from pipeline.core.atomic import LayoutFile
from pipeline.core.errors import Problem, ProblemError
from pipeline.fit.design import Band
from pipeline.fit.elimination import LeftOut, Remainder, runs, split
from pipeline.fit.linalg import SMALL, Array, Backend, single_is_safe
from pipeline.fit.regression import Regression

MARGIN = 10
Grams = Mapping[tuple[str, str], np.ndarray]  # (band, band): (n_folds, n_columns, n_columns)


class GramEngine:
    """Candidates solved on Gram matrices (see `pipeline.fit.search.Engine`).

    Parameters
    ----------
    regression : Regression
        Design, responses, folds and alphas.
    backend : Backend
        Where it is computed.
    grams : sequence of arrays of shape (n_columns, n_columns), optional
        X'X of each fold (`pipeline.fit.gram_engine.fold_grams`); made here if not given.
    """

    def __init__(
        self, regression: Regression, backend: Backend, grams: Sequence[np.ndarray] | None = None
    ) -> None:
        self.backend, self.split = backend, split(regression.design)
        bands, wide = regression.design.bands, self.split.wide
        self._grams = grams or fold_grams(bands, regression.folds)
        self.mean = _mean(regression)
        self.folds = [self._sums(regression, k, xx) for k, xx in enumerate(self._grams)]
        self.band = np.repeat(np.arange(len(wide)), [bands[b].n_columns for b in wide])
        diagonal = np.sum([xx.diagonal() for xx in self._grams], axis=0)
        self._traces = np.bincount(self.band, diagonal[self.split.wide_columns])
        self.single = [backend.cast(self._wide(k), double=False) for k in range(regression.n_folds)]
        self._total = sum(self.single[1:], self.single[0])

    def _sums(self, regression: Regression, fold: int, xx: np.ndarray) -> Sums:
        """Sums of a fold; X'Y is summed one story at a time."""
        n, x, y, yy = (
            0,
            np.zeros(len(xx)),
            np.zeros(regression.n_voxels),
            np.zeros(regression.n_voxels),
        )
        xy = np.zeros((len(xx), regression.n_voxels), np.float32)
        for story in (s for s, f in regression.folds.items() if f == fold):
            rows, responses = regression.design.rows(story), regression.responses[story] - self.mean
            n += len(rows)
            x += rows.sum(axis=0, dtype=np.float64)
            y += responses.sum(axis=0, dtype=np.float64)
            xy += rows.T @ responses
            yy += np.einsum("ij,ij->j", responses, responses, dtype=np.float64)
        wide, narrow = self.split.wide_columns, self.split.narrow_columns
        wu = np.column_stack([xx[wide[:, None], narrow], x[wide]])
        uu = np.block([[xx[narrow[:, None], narrow], x[narrow, None]], [x[narrow], np.full(1, n)]])
        put = self.backend.put
        return Sums(put(wu), put(xy[wide]), uu, np.vstack([xy[narrow], y]), yy)

    def _wide(self, fold: int, rows: slice | np.ndarray = slice(None)) -> Array:
        """X'X of (some of) the wide columns of a fold, double."""
        columns = self.split.wide_columns[rows]
        return self.backend.put(self._grams[fold][columns[:, None], columns])

    def training(self, out: tuple[int, ...], kept: Kept, double: bool) -> Array:
        """X'X of the kept columns without the folds `out`, a new matrix."""
        if double:
            first, *others = (k for k in range(len(self._grams)) if k not in out)
            matrix = self._wide(first, kept.rows)
            for fold in others:
                matrix += self._wide(fold, kept.rows)
            return matrix
        matrix = kept.square(self._total) - (kept.square(self.single[out[0]]) if out else 0)
        for fold in out[1:]:
            matrix -= kept.square(self.single[fold])
        return matrix

    def mixed(self, alphas: np.ndarray) -> GramMixed:
        """See `pipeline.fit.search.Engine.mixed`."""
        kept = Kept.of(np.isfinite(alphas)[self.band], self.backend)
        trace = float(np.sum(self._traces / alphas))
        double = kept.size <= SMALL or not single_is_safe(trace, MARGIN)
        return GramMixed(self, kept, alphas[self.band][kept.rows], double)


def _mean(regression: Regression) -> np.ndarray:
    """Mean response, (n_voxels,): about it, sums in single precision lose least."""
    total = sum(r.sum(axis=0, dtype=np.float64) for r in regression.responses.values())
    return (total / regression.n_rows).astype(np.float32)


@dataclass(frozen=True)
class Sums:
    """Sums over the rows of some stories.

    W are the wide columns, U the narrow ones and a column of ones, Y the responses.

    Parameters
    ----------
    wu : array of shape (n_wide, n_narrow + 1)
        W'U, double.
    wy : array of shape (n_wide, n_voxels)
        W'Y, single: its rounding is small beside any sampling error, and it is the largest.
    uu, uy : arrays of shape (n_narrow + 1, n_narrow + 1), (n_narrow + 1, n_voxels)
        U'U and U'Y, double.
    yy : array of shape (n_voxels,)
        Sums of squared responses, double.
    """

    wu: Array
    wy: Array
    uu: np.ndarray
    uy: np.ndarray
    yy: np.ndarray

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(getattr(self, k) + getattr(other, k) for k in self.__annotations__))

    def of(self, kept: Kept, voxels: np.ndarray) -> Sums:
        """The sums of some wide columns and some voxels only."""
        return replace(
            self,
            wu=self.wu[kept.rows],
            wy=self.wy[kept.rows][:, voxels],
            uy=self.uy[:, voxels],
            yy=self.yy[voxels],
        )


@dataclass(frozen=True)
class Kept:
    """The wide columns of the bands that are not left out; systems shrink to them.

    Parameters
    ----------
    rows : slice or array of int
        The columns' indices among the wide ones, a slice if they are all of them.
    runs : list of slice
        The same as runs of neighbours.
    size : int
        How many there are.
    backend : Backend
        Where the matrices are.
    """

    rows: slice | np.ndarray
    runs: list[slice]
    size: int
    backend: Backend

    @classmethod
    def of(cls, mask: np.ndarray, backend: Backend) -> Kept:
        """Those of `mask`, (n_wide_columns,)."""
        rows = slice(None) if mask.all() else np.flatnonzero(mask)
        return cls(rows, runs(mask), int(mask.sum()), backend)

    def square(self, matrix: Array) -> Array:
        """The columns and rows of a matrix of all wide columns; itself if they are all."""
        if isinstance(self.rows, slice):
            return matrix
        return self.backend.block(matrix, self.runs, self.runs)


@dataclass(frozen=True)
class GramMixed:
    """The engine at the `alphas` of the kept columns (see `pipeline.fit.search.Mixed`)."""

    engine: GramEngine
    kept: Kept
    alphas: np.ndarray
    double: bool

    def solve(self, out: tuple[int, ...], voxels: np.ndarray) -> GramSolved:
        """See `pipeline.fit.search.Mixed.solve`."""
        engine = self.engine
        first, *others = [fold for k, fold in enumerate(engine.folds) if k not in out]
        kept = self.kept
        train = sum((fold.of(kept, voxels) for fold in others), first.of(kept, voxels))
        cast = engine.backend.cast
        rhs = engine.backend.join(cast(train.wy, self.double), cast(train.wu, self.double))
        matrix = engine.training(out, kept, self.double)
        solution = engine.backend.solve(matrix, self.alphas, rhs)
        return GramSolved(engine, kept, voxels, train, solution, self.double)


@dataclass(frozen=True)
class GramSolved:
    """Solutions for responses and narrow columns (see `pipeline.fit.search.Solved`)."""

    engine: GramEngine
    kept: Kept
    voxels: np.ndarray
    train: Sums
    solution: Array  # (n_kept, n_voxels + n_narrow + 1)
    double: bool

    @cached_property
    def remainder(self) -> Remainder:
        """See `pipeline.fit.search.Solved.remainder`."""
        n, backend = len(self.voxels), self.engine.backend
        wu = backend.cast(self.train.wu, self.double)
        product = backend.get(wu.T @ self.solution).astype(np.float64)
        system, rhs = self.train.uu - product[:, n:], self.train.uy - product[:, :n]
        return Remainder(system, rhs, self.engine.split.narrow_bands)

    def left_out(self, fold: int) -> LeftOut:
        """See `pipeline.fit.search.Solved.left_out`."""
        n, backend = len(self.voxels), self.engine.backend
        xx = self.kept.square(self.engine.single[fold])
        get, test = backend.get, self.engine.folds[fold].of(self.kept, self.voxels)
        solution = backend.cast(self.solution, double=False)
        test_wu = backend.cast(test.wu, double=False)
        wy, wu = solution[:, :n], solution[:, n:]
        # Predictions are W wy + (U - W wu) u.
        product = xx @ wu
        pp = get(backend.quadratic(xx, wy))
        Pp, cross = get((test_wu - product).T @ wy), get(test_wu.T @ wu)
        PP = test.uu - cross - cross.T + get(wu.T @ product)
        py, Py = get((wy * test.wy).sum(0)), test.uy - get(wu.T @ test.wy)
        # About the means: the last of U is a column of ones, so its products are sums.
        rows, y, p = test.uu[-1, -1], test.uy[-1], get(test_wu[:, -1] @ wy)
        P = test.uu[-1] - cross[-1]
        yy = test.yy - y * y / rows
        yy[yy < 1e-10 * test.yy] = 0  # constant but for rounding
        return LeftOut(
            py - p * y / rows,
            pp - p * p / rows,
            yy,
            Py - P[:, None] * y / rows,
            Pp - P[:, None] * p / rows,
            PP - P[:, None] * P / rows,
        )

    def weights(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `pipeline.fit.search.Solved.weights`."""
        n, split = len(self.voxels), self.engine.split
        solution = self.engine.backend.get(self.solution)
        weights = np.zeros((len(split.wide_columns) + len(split.narrow_columns), n))
        weights[split.wide_columns[self.kept.rows]] = solution[:, :n] - solution[:, n:] @ u
        weights[split.narrow_columns] = u[:-1]
        intercept = u[-1] + self.engine.mean[self.voxels]
        return weights.astype(np.float32), intercept.astype(np.float32)


def gram_of(a: Band, b: Band, folds: Mapping[str, int]) -> np.ndarray:
    """Sums of A'B over the stories of each fold, (n_folds, n_columns_a, n_columns_b), double.

    Parameters
    ----------
    a, b : Band
        The bands; may be the same one.
    folds : mapping of str to int
        Fold of each training story.
    """
    sums = np.zeros((max(folds.values()) + 1, a.n_columns, b.n_columns))
    for story, fold in folds.items():
        rows_a = a.rows(story).astype(np.float64)
        rows_b = rows_a if a is b else b.rows(story).astype(np.float64)
        sums[fold] += rows_a.T @ rows_b
    return sums


class GramFile(LayoutFile):
    """Sums of one pair of bands.

    Dataset `gram`: (n_folds, n_columns_a, n_columns_b), double, X_a'X_b of the delayed bands over
    the stories of each fold. Attributes: `layout`; `a` and `b`, the names of the bands.
    """

    LAYOUT = "gram/1"

    @classmethod
    def write(cls, path: str | Path, a: Band, b: Band, folds: Mapping[str, int]) -> None:
        """Make the sums of a pair and write them."""
        with cls._create(path) as made:
            made._file["gram"] = gram_of(a, b, folds)
            made._file.attrs.update({"a": a.name, "b": b.name})

    @classmethod
    def read_all(cls, paths: Sequence[str | Path]) -> Grams:
        """The sums of all pairs in files."""
        return dict(cls(path)._pair() for path in paths)

    def _pair(self) -> tuple[tuple[str, str], np.ndarray]:
        with self._open() as file:
            return (str(file.attrs["a"]), str(file.attrs["b"])), file["gram"][:]


def fold_grams(
    bands: Sequence[Band], folds: Mapping[str, int], grams: Grams | None = None
) -> list[np.ndarray]:
    """X'X of each fold for `bands` side by side, each (n_columns, n_columns).

    Parameters
    ----------
    bands : sequence of Band
        The bands of the design.
    folds : mapping of str to int
        Fold of each training story.
    grams : Grams, optional
        The pairs' sums (`GramFile.read_all`); made here if not given.

    Raises
    ------
    ProblemError
        If a pair is missing or was made from another band.
    """
    if grams is None:
        pairs = combinations_with_replacement(bands, 2)
        grams = {(a.name, b.name): gram_of(a, b, folds) for a, b in pairs}
    n_folds = max(folds.values()) + 1
    return [
        np.block([[_pair(a, b, grams, fold) for b in bands] for a in bands])
        for fold in range(n_folds)
    ]


def _pair(a: Band, b: Band, grams: Grams, fold: int) -> np.ndarray:
    if (a.name, b.name) in grams:
        gram = grams[a.name, b.name][fold]
    elif (b.name, a.name) in grams:
        gram = grams[b.name, a.name][fold].T
    else:
        gram = np.empty((0, 0))
    if gram.shape != (a.n_columns, b.n_columns):
        what = f"no Gram matrix of {a.name} and {b.name} with the bands' columns"
        raise ProblemError(Problem("Gram matrices", "", what, "delete them; they are made again"))
    return gram
