"""The search: which alpha of which band predicts each voxel best.

Every band has an alpha of its own, all from one grid, or is left out: its alpha is then infinite.
A voxel starts with one alpha for all bands and walks along the grid while its score rises, which is
its own beside the mean over some reference voxels (`pipeline.fit.pooling`). It then
tries what leaving one band out, or all but one, would do; from the best, leaves out or takes back
one band at a time while that helps; and walks along the grid again. Last, if asked to, single
bands' alphas are moved as long as a move gains enough. That much is for the wide bands; alphas of
narrow bands are tried in all combinations at every step (`pipeline.fit.narrow`).

Each voxel's path depends on its own scores and those of the reference voxels, which are in every
block: so blocks change nothing. Within a block all voxels that come past the same alphas share one
factorisation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np

from pipeline.fit.base import Ridge
from pipeline.fit.narrow import LeftOut, Remainder, Split, combinations
from pipeline.fit.pooling import Pool
from pipeline.progress import track

# Scores that differ by less are as good as equal: there the first is kept, or of narrow bands the
# largest alphas. Rounding, which changes with the block, is far smaller, and decides nothing.
EQUAL = np.float32(1e-4)
Out = tuple[int, ...]  # folds left out of the training set
Point = tuple[int, ...]  # for each wide band, the index of its alpha; the last is infinite


class Solved(Protocol):
    """A training set solved for some voxels but for the narrow bands."""

    @property
    def remainder(self) -> Remainder:
        """The system of the narrow bands."""
        ...

    def left_out(self, fold: int) -> LeftOut:
        """What the correlations on a fold follow from."""
        ...

    def weights(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights, (n_columns, n_voxels), and intercepts, float32; `u` as of `Remainder.solve`."""
        ...


class Mixed(Protocol):
    """The problem at some alphas of the wide bands."""

    def solve(self, out: Out, voxels: np.ndarray) -> Solved:
        """Solve for `voxels` on the stories outside the folds `out`."""
        ...


class Engine(Protocol):
    """One way to solve a problem's candidates.

    Attributes
    ----------
    size : int
        Rows of the systems that it factorises.
    split : Split
        The problem's wide and narrow bands.
    """

    size: int
    split: Split

    def mixed(self, alphas: np.ndarray) -> Mixed:
        """The problem at the wide bands' `alphas`, (n_wide,); not all are infinite."""
        ...


class Search:
    """One or several searches side by side, each with its own training sets and paths.

    Parameters
    ----------
    engine : Engine
        Solves and scores.
    alphas : array of shape (n_alphas,)
        The grid, ascending and finite.
    n_voxels : int
        Voxels of the block.
    uses : mapping of tuple of int to sequence of (int, int)
        For each set of folds left out, the (search, fold to score on) pairs that its models serve.
    n_searches : int
        Searches; each takes the mean over its folds.
    refinements : int
        Moves of single bands' alphas at most.
    min_gain : float
        What such a move must raise a voxel's score by.
    reference : array of int, optional
        Voxels of the block, ascending, whose mean score counts beside a voxel's own; none by
        default.
    """

    def __init__(
        self,
        engine: Engine,
        alphas: np.ndarray,
        n_voxels: int,
        uses: Mapping[Out, Sequence[tuple[int, int]]],
        n_searches: int,
        refinements: int = 0,
        min_gain: float = 0.0,
        reference: np.ndarray | None = None,
    ) -> None:
        self.engine, self.uses = engine, uses
        self.alphas, self.off = np.append(alphas, np.inf), len(alphas)
        self.n_wide = len(engine.split.wide)
        self.narrow = combinations(self.off, len(engine.split.narrow))
        self.refinements, self.min_gain = refinements, min_gain
        self.shape = (n_searches, n_voxels)
        self.reference = np.arange(0) if reference is None else reference
        self.pool: Pool | None = None
        self._n_inner = sum(map(len, uses.values())) // n_searches
        self._index: dict[Point, int] = {}
        self._scores: list[np.ndarray] = []  # of each point: of its best combination, or NaN
        self._own: list[np.ndarray] = []  # of each point: that combination's r, nothing mixed in
        self._chosen: list[np.ndarray] = []  # of each point: that combination's index
        self._here = np.zeros(self.shape, np.int32)  # index of the point where each voxel is

    @property
    def points(self) -> list[Point]:
        """The points that any voxel has come past."""
        return list(self._index)

    def run(self) -> Search:
        """Walk every voxel to its best candidate. Returns itself."""
        self._start()
        self._climb(self._together)
        self._climb(self._without_some, rounds=1)
        self._climb(self._one_in_or_out)
        self._climb(self._together)
        self._climb(self._singly, self.refinements, self.min_gain)
        return self

    def best(self, search: int) -> tuple[np.ndarray, np.ndarray]:
        """Each voxel's alphas, as indices (n_bands, n_voxels) in the design's order, and score."""
        here, split = self._here[search], self.engine.split
        voxels = np.arange(self.shape[1])
        levels = np.empty((len(split.wide) + len(split.narrow), len(here)), int)
        levels[split.wide] = np.array(self.points)[here].T
        chosen, own = np.stack(self._chosen), np.stack(self._own)
        levels[split.narrow] = self.narrow[chosen[here, search, voxels]].T
        return levels, own[here, search, voxels]

    def _start(self) -> None:
        """Put all voxels where the reference voxels' mean is best, or at the middle alpha.

        On the way the reference voxels' scores on every fold tell what their mean counts.
        """
        best = np.full(self.shape[0], (self.off - 1) // 2)  # of each search
        everyone = np.arange(self.shape[1])
        tables: dict[int, np.ndarray] = {}
        on_folds: dict[int, np.ndarray] = {}
        while wanted := self._around(best) - tables.keys():
            for level in track(sorted(wanted), "search: start"):
                scores = self._on_folds(self._shared(level), everyone)
                tables[level] = scores.mean(axis=1)
                on_folds[level] = scores[..., self.reference]
            if len(self.reference):
                tried = np.concatenate(list(on_folds.values()), axis=2)
                self.pool = pool = Pool.of(tried, self.reference)
                means = [pool.mean(t[..., self.reference]).max(axis=1) for t in tables.values()]
                best = np.array(list(tables))[np.argmax(means, axis=0)]
        for level, table in tables.items():
            self._enter(self._shared(level), everyone, table)
        self._here[:] = np.array([self._index[self._shared(level)] for level in best])[:, None]

    def _shared(self, level: int) -> Point:
        """One alpha for all bands."""
        return (level,) * self.n_wide

    def _around(self, levels: np.ndarray) -> set[int]:
        """The levels themselves and, if there are reference voxels, those a step down and up."""
        steps = (-1, 0, 1) if len(self.reference) else (0,)
        return {int(i) + step for i in levels for step in steps if 0 <= i + step < self.off}

    def _together(self, point: Point) -> list[Point]:
        """The alpha that the bands share (those that are not left out) a step down or up."""
        shared = min(point)
        return [
            tuple(shared + step if level == shared else level for level in point)
            for step in (-1, 1)
            if 0 <= shared + step < self.off
        ]

    def _without_some(self, point: Point) -> list[Point]:
        """All bands but one, and one alone: at the shared alpha, and a step below."""
        shared, off, bands = min(point), self.off, range(self.n_wide)
        if self.n_wide == 1:
            return []
        levels = [level for level in (shared, shared - 1) if level >= 0]
        without = [tuple(off if b == a else i for b in bands) for a in bands for i in levels]
        alone = [tuple(i if b == a else off for b in bands) for a in bands for i in levels]
        return [*without, *alone]

    def _one_in_or_out(self, point: Point) -> list[Point]:
        """One more band left out, or one taken back, at the shared alpha."""
        shared, off = min(point), self.off
        moved = [
            (*point[:b], shared if point[b] == off else off, *point[b + 1 :])
            for b in range(self.n_wide)
        ]
        return [p for p in moved if min(p) < off]

    def _singly(self, point: Point) -> list[Point]:
        """Each band's alpha a step down or up."""
        moved = [
            (*point[:b], point[b] + step, *point[b + 1 :])
            for b in range(self.n_wide)
            for step in (-1, 1)
        ]
        return [p for p in moved if 0 <= min(p) < self.off and max(p) <= self.off]

    def _climb(
        self, moves: Callable[[Point], list[Point]], rounds: int | None = None, gain: float = 0.0
    ) -> None:
        """Move each voxel to the best of `moves` until none gains enough, or for some rounds."""
        climbing = np.ones(self.shape, bool)
        while climbing.any() and rounds != 0:
            rounds = None if rounds is None else rounds - 1
            points = self.points
            starts = {i: (self._here == i) & climbing for i in np.unique(self._here[climbing])}
            wanted: dict[Point, np.ndarray] = {}
            for i, mask in starts.items():
                for point in moves(points[i]):
                    wanted[point] = wanted.get(point, False) | mask
            self._evaluate(wanted)
            moved = np.zeros(self.shape, bool)
            for i, mask in starts.items():
                best = self._scores[i] + np.float32(max(gain - float(EQUAL), 0.0))
                for point in moves(points[i]):
                    j = self._index[point]
                    better = mask & (self._scores[j] > best + EQUAL)
                    self._here[better], best[better] = j, self._scores[j][better]
                    moved |= better
            climbing = moved

    def _evaluate(self, wanted: Mapping[Point, np.ndarray]) -> None:
        """Score wanted points (with masks of searches and voxels) unless they are known."""
        missing = {}
        for point, mask in wanted.items():
            known = self._index.get(point)
            new = mask if known is None else mask & np.isnan(self._scores[known])
            voxels: np.ndarray = np.any(new, axis=0)
            if voxels.any():
                voxels[self.reference] = True
                # A factorisation costs more than solving for few voxels: make it once for all.
                few = len(voxels) <= self.engine.size // 8
                missing[point] = np.arange(len(voxels)) if few else np.flatnonzero(voxels)
        if not missing:
            return
        for point, voxels in track(missing.items(), "search: alphas"):
            self._enter(point, voxels, self._on_folds(point, voxels).mean(axis=1))

    def _enter(self, point: Point, voxels: np.ndarray, table: np.ndarray) -> None:
        """Keep each voxel's best of the combinations in `table` (see `Pool.mixed`)."""
        if point not in self._index:
            self._index[point] = len(self._index)
            self._scores.append(np.full(self.shape, np.nan, np.float32))
            self._own.append(np.full(self.shape, np.nan, np.float32))
            self._chosen.append(np.zeros(self.shape, np.int16))
        i, mixed = self._index[point], self.pool.mixed(table, voxels) if self.pool else table
        chosen = (mixed >= mixed.max(axis=1, keepdims=True) - EQUAL).argmax(axis=1)
        self._chosen[i][:, voxels] = chosen
        for kept, scores in ((self._scores, mixed), (self._own, table)):
            kept[i][:, voxels] = np.take_along_axis(scores, chosen[:, None], 1)[:, 0]

    def _on_folds(self, point: Point, voxels: np.ndarray) -> np.ndarray:
        """Correlations on each search's folds, (n_searches, n_folds, n_combinations, n_voxels)."""
        n_searches, n_combinations = self.shape[0], len(self.narrow)
        scores = np.zeros((n_searches, self._n_inner, n_combinations, len(voxels)), np.float32)
        mixed = self.engine.mixed(self.alphas[list(point)])
        filled = [0] * n_searches
        for out, pairs in self.uses.items():
            solved = mixed.solve(out, voxels)
            left_out = {fold: solved.left_out(fold) for _, fold in pairs}
            for c, combination in enumerate(self.narrow):
                u = solved.remainder.solve(self.alphas[combination], slice(None))
                for search, fold in pairs:
                    scores[search, filled[search], c] = left_out[fold].r(u)
            for search, _ in pairs:
                filled[search] += 1
        return scores


def solve_best(search: Search, k: int, out: Out) -> Ridge:
    """Fit each voxel's best candidate of search `k` on the stories outside the folds `out`."""
    levels, score = search.best(k)
    engine, alphas = search.engine, search.alphas
    split, parts = engine.split, []
    points, which = np.unique(levels[split.wide], axis=1, return_inverse=True)
    for i, point in enumerate(points.T):
        voxels = np.flatnonzero(which == i)
        solved = engine.mixed(alphas[point]).solve(out, voxels)
        narrow = levels[split.narrow][:, voxels]
        u = np.empty((len(split.narrow_bands), len(voxels)))
        for combination in np.unique(narrow, axis=1).T:
            some = np.flatnonzero((narrow == combination[:, None]).all(axis=0))
            u[:, some] = solved.remainder.solve(alphas[combination], some)
        parts.append((voxels, *solved.weights(u)))
    weights = np.empty((len(parts[0][1]), len(score)), np.float32)
    intercept = np.empty(len(score), np.float32)
    for voxels, w, b in parts:
        weights[:, voxels], intercept[voxels] = w, b
    return Ridge(weights, intercept, alphas[levels], score)
