"""Banded ridge on Gram matrices, for designs with more rows than columns.

No candidate touches the time series: all that is needed are sums over the stories of each fold
(`pipeline.fit.sums`). Candidates only add alphas to the diagonal of X'X, and cost one Cholesky
factorisation, some twenty times cheaper than an eigendecomposition. Scores come from the left-out
fold's sums as well: with predictions X w, cov(X w, y) = w'X'y and var(X w) = w'X'X w. The latter is
as much work as the solution, but over the training rows nothing: there X'X w = X'y - alpha w.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, combinations_with_replacement, pairwise

import numpy as np

from pipeline.fit.design import Band
from pipeline.fit.elimination import LeftOut, Remainder, Spread, split
from pipeline.fit.linalg import SMALL, Array, single_is_safe
from pipeline.fit.sums import ByFold, Out, Sums, those_without

MARGIN = 10
Some = Callable[[ByFold], list[Array]]  # of sums by fold, those to add up


class GramEngine:
    """Candidates solved on Gram matrices (see `pipeline.fit.search.Engine`).

    W are the wide columns, U the narrow ones and a column of ones, Y the responses.

    Parameters
    ----------
    sums : Sums
        Of the design and the responses.
    """

    def __init__(self, sums: Sums) -> None:
        self.sums, self.backend, self.mean = sums, sums.backend, sums.mean
        self.split = split(sums.design)
        bands = sums.design.bands
        self.wide = [bands[b] for b in self.split.wide]
        self.narrow = [bands[b] for b in self.split.narrow]
        self._traces = np.array([self._trace(b) for b in range(len(self.wide))])
        self._products = {band.name: sums.band(band) for band in bands}
        self._responses = sums.responses()
        self._small: dict[tuple[bool, Out], Small] = {}

    def _trace(self, b: int) -> float:
        """Trace of the whole X'X of a wide band."""
        pair = self.sums.pair(self.wide[b], self.wide[b])
        return sum(float(part.diagonal().sum()) for part in pair.values())

    def mixed(self, alphas: np.ndarray) -> GramMixed:
        """See `pipeline.fit.search.Engine.mixed`."""
        kept = Kept.of(alphas, [band.n_columns for band in self.wide])
        double = kept.size <= SMALL or not single_is_safe(
            float(np.sum(self._traces / alphas)), MARGIN
        )
        return GramMixed(self, kept, kept.columns(alphas), double)

    def training(self, out: Out, kept: Kept, double: bool) -> Array:
        """W'W of the kept bands without the folds `out`, a new matrix."""
        return self._square(lambda sums: those_without(sums, out), kept, double)

    def fold(self, fold: int, kept: Kept) -> Array:
        """W'W of the kept bands of one fold, single, a new matrix."""
        return self._square(lambda sums: [sums[fold]], kept, double=False)

    def _square(self, some: Some, kept: Kept, double: bool) -> Array:
        matrix = self.backend.empty(kept.size, kept.size, double)
        for (a, at_a), (b, at_b) in combinations_with_replacement(kept.places.items(), 2):
            first, *others = some(self.sums.pair(self.wide[a], self.wide[b], double))
            matrix[at_a, at_b] = first
            for part in others:
                matrix[at_a, at_b] += part
            if a != b:
                matrix[at_b, at_a] = matrix[at_a, at_b].T
        return matrix

    def wy(self, some: Some, kept: Kept, voxels: np.ndarray) -> Array:
        """W'Y of the kept bands and some voxels, (n_kept, n_voxels), single: its rounding is small
        beside any sampling error, and it is the largest.
        """
        columns = slice(None) if len(voxels) == len(self.mean) else voxels
        made = self.backend.columns(kept.size, len(voxels))
        for band, place in kept.places.items():
            first, *others = some(self._products[self.wide[band].name][1])
            made[place] = first[:, columns]
            for part in others:
                made[place] += part[:, columns]
        return made

    def small(self, out: Out, inside: bool) -> Small:
        """The sums of the narrow columns, inside the folds `out` or outside."""
        key = (inside, out)
        if key not in self._small:
            self._small[key] = self._add_small(
                lambda sums: [sums[k] for k in out] if inside else those_without(sums, out)
            )
        return self._small[key]

    def _add_small(self, some: Some) -> Small:
        def total(sums: ByFold) -> Array:
            first, *others = some(sums)
            return sum(others, first)

        def to_narrow(band: Band) -> list[Array]:
            pairs = [total(self.sums.pair(band, other)) for other in self.narrow]
            return [*map(self.backend.get, pairs), total(self._products[band.name][0])[:, None]]

        rows, y, yy = map(total, self._responses)
        wu = np.concatenate([np.concatenate(to_narrow(band), axis=1) for band in self.wide])
        uu = [np.concatenate(to_narrow(band), axis=1) for band in self.narrow]
        ones = np.concatenate([*(part[:, -1] for part in uu), [rows]])
        uy = [self.backend.get(total(self._products[band.name][1])) for band in self.narrow]
        return Small(self.backend.put(wu), np.vstack([*uu, ones]), np.vstack([*uy, y]), yy)


@dataclass(frozen=True)
class Small:
    """Sums of the narrow columns, double.

    Parameters
    ----------
    wu : array of shape (n_wide, n_narrow + 1)
        W'U.
    uu, uy : arrays of shape (n_narrow + 1, n_narrow + 1), (n_narrow + 1, n_voxels)
        U'U and U'Y.
    yy : array of shape (n_voxels,)
        Sums of squared responses.
    """

    wu: Array
    uu: np.ndarray
    uy: np.ndarray
    yy: np.ndarray


@dataclass(frozen=True)
class Kept:
    """The wide bands that are not left out; systems shrink to them.

    Parameters
    ----------
    places : dict of int to slice
        Of each kept band, by its place among the wide ones, its columns in the system.
    rows : array of int
        The kept columns among the wide ones.
    """

    places: dict[int, slice]
    rows: np.ndarray

    @classmethod
    def of(cls, alphas: np.ndarray, n_columns: list[int]) -> Kept:
        """Those whose alpha is finite."""
        kept = np.flatnonzero(np.isfinite(alphas)).tolist()
        ends = accumulate((n_columns[b] for b in kept), initial=0)
        places = dict(zip(kept, (slice(*ends) for ends in pairwise(ends)), strict=True))
        return cls(places, np.flatnonzero(np.repeat(np.isfinite(alphas), n_columns)))

    @property
    def size(self) -> int:
        """Kept columns."""
        return len(self.rows)

    def columns(self, alphas: np.ndarray) -> np.ndarray:
        """Alphas of the wide bands as those of the kept columns."""
        sizes = [place.stop - place.start for place in self.places.values()]
        return np.repeat(alphas[list(self.places)], sizes)


@dataclass(frozen=True)
class GramMixed:
    """The engine at the `alphas` of the kept columns (see `pipeline.fit.search.Mixed`)."""

    engine: GramEngine
    kept: Kept
    alphas: np.ndarray
    double: bool

    def solve(self, out: Out, voxels: np.ndarray) -> GramSolved:
        """See `pipeline.fit.search.Mixed.solve`."""
        engine, kept = self.engine, self.kept
        small, cast = engine.small(out, inside=False), engine.backend.cast
        wy = engine.wy(lambda sums: those_without(sums, out), kept, voxels)
        rhs = engine.backend.join(cast(wy, self.double), cast(small.wu[kept.rows], self.double))
        matrix = engine.training(out, kept, self.double)
        solution = engine.backend.solve(matrix, self.alphas, rhs)
        return GramSolved(self, out, voxels, small, solution)


@dataclass(frozen=True)
class GramSolved:
    """Solutions for responses and narrow columns (see `pipeline.fit.search.Solved`)."""

    mixed: GramMixed
    out: Out
    voxels: np.ndarray
    small: Small  # of the training set
    solution: Array  # (n_kept, n_voxels + n_narrow + 1)

    @property
    def _engine(self) -> GramEngine:
        return self.mixed.engine

    @cached_property
    def remainder(self) -> Remainder:
        """See `pipeline.fit.search.Solved.remainder`."""
        n, backend = len(self.voxels), self._engine.backend
        wu = backend.cast(self.small.wu[self.mixed.kept.rows], self.mixed.double)
        product = backend.get(wu.T @ self.solution).astype(np.float64)
        rhs = self.small.uy[:, self.voxels] - product[:, :n]
        return Remainder(self.small.uu - product[:, n:], rhs, self._engine.split.narrow_bands)

    @cached_property
    def _parts(self) -> tuple[Array, Array]:
        """Solutions for the responses, and for the narrow columns, single."""
        solution = self._engine.backend.cast(self.solution, double=False)
        return solution[:, : len(self.voxels)], solution[:, len(self.voxels) :]

    def _wu(self, small: Small) -> Array:
        """W'U of the kept bands, single."""
        return self._engine.backend.cast(small.wu[self.mixed.kept.rows], double=False)

    def left_out(self, fold: int) -> LeftOut:
        """See `pipeline.fit.search.Solved.left_out`."""
        backend, (wy, wu) = self._engine.backend, self._parts
        xx, test = self._engine.fold(fold, self.mixed.kept), self._engine.small((fold,), True)
        product = xx @ wu
        Pp = (self._wu(test) - product).T @ wy
        return self._scored(fold, self._spread(test, backend.quadratic(xx, wy), Pp, wu.T @ product))

    def hinted(self, fold: int) -> LeftOut:
        """See `pipeline.fit.search.Solved.hinted`."""
        return self._scored(fold, self._fitted)

    @cached_property
    def _fitted(self) -> Spread:
        """Over the training rows, where W'W wy = W'Y - alpha wy, and so for U."""
        engine, (wy, wu), kept = self._engine, self._parts, self.mixed.kept
        backend, alphas = engine.backend, self.mixed.alphas.astype(np.float32)[:, None]
        rhs = engine.wy(lambda sums: those_without(sums, self.out), kept, self.voxels)
        penalty = backend.put(alphas)
        pp = backend.products(wy, rhs - penalty * wy)
        product = self._wu(self.small) - penalty * wu
        return self._spread(self.small, pp, (penalty * wu).T @ wy, wu.T @ product)

    def _spread(self, small: Small, pp: Array, Pp: Array, square: Array) -> Spread:
        """About the means of some rows, of sums over these; `square` is that of W wu.

        The last of U is a column of ones, so its products are sums.
        """
        get, (wy, wu), rows_wu = self._engine.backend.get, self._parts, self._wu(small)
        cross, rows, p = get(rows_wu.T @ wu), small.uu[-1, -1], get(rows_wu[:, -1] @ wy)
        P = small.uu[-1] - cross[-1]
        PP = small.uu - cross - cross.T + get(square)
        pp, Pp = get(pp) - p * p / rows, get(Pp) - P[:, None] * p / rows
        return Spread(pp / rows, Pp / rows, (PP - P[:, None] * P / rows) / rows)

    def _scored(self, fold: int, spread: Spread) -> LeftOut:
        """With the responses of a left-out fold, for predictions that vary as given."""
        engine, get, (wy, wu) = self._engine, self._engine.backend.get, self._parts
        test = engine.small((fold,), inside=True)
        test_wy = engine.wy(lambda sums: [sums[fold]], self.mixed.kept, self.voxels)
        test_uy, test_yy = test.uy[:, self.voxels], test.yy[self.voxels]
        py, Py = get(engine.backend.products(wy, test_wy)), test_uy - get(wu.T @ test_wy)
        rows, y, test_wu = test.uu[-1, -1], test_uy[-1], self._wu(test)
        p, P = get(test_wu[:, -1] @ wy), test.uu[-1] - get(test_wu[:, -1] @ wu)
        yy = test_yy - y * y / rows
        yy[yy < 1e-10 * test_yy] = 0  # constant but for rounding
        return LeftOut(
            py - p * y / rows,
            rows * spread.pp,
            yy,
            Py - P[:, None] * y / rows,
            rows * spread.Pp,
            rows * spread.PP,
        )

    def weights(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `pipeline.fit.search.Solved.weights`."""
        n, split = len(self.voxels), self._engine.split
        solution = self._engine.backend.get(self.solution)
        weights = np.zeros((len(split.wide_columns) + len(split.narrow_columns), n))
        weights[split.wide_columns[self.mixed.kept.rows]] = solution[:, :n] - solution[:, n:] @ u
        weights[split.narrow_columns] = u[:-1]
        intercept = u[-1] + self._engine.mean[self.voxels]
        return weights.astype(np.float32), intercept.astype(np.float32)
