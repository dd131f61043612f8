"""The search: which alpha of which band predicts each voxel best.

Every band has an alpha of its own, all from one grid, or is left out: its alpha is then infinite.
The search starts with one alpha for all bands and goes along the grid as long as it is better for
any voxels. It then tries what leaving one band out, or all but one, would do; from the best, leaves
out or takes back one band at a time, and goes along the grid again. Last, if asked to, it moves
single bands' alphas. That much is for the wide bands; alphas of narrow bands are tried in all
combinations at every step (`pipeline.fit.elimination`).

Where to go is what reference voxels say, and all voxels are scored there: so the blocks they are
fitted in change nothing, and a factorisation serves all of them. In the end each takes what is best
for voxels like it (`pipeline.fit.pooling`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pipeline.core.progress import track
from pipeline.fit.choices import best_of
from pipeline.fit.elimination import LeftOut, Remainder, Split, combinations
from pipeline.fit.pooling import error_variance, pooled

FEW = 0.01  # share of the voxels up to which what is best for them is not followed up
# From so many wide bands on, only the best of some moves are tried, from the best of some points.
MANY, MOVES, LEADERS = 6, 3, 8
Out = tuple[int, ...]  # folds left out of the training set
Point = tuple[int, ...]  # for each wide band, the index of its alpha; the last is infinite
Way = Callable[["Solved", int], LeftOut]  # of scoring on a fold
Moves = Callable[[int, Point, np.ndarray], list[Point]]  # from a point, for voxels of a search


class Solved(Protocol):
    """A training set solved for some voxels but for the narrow bands."""

    @property
    def remainder(self) -> Remainder:
        """The system of the narrow bands."""
        ...

    def left_out(self, fold: int) -> LeftOut:
        """What the correlations on a fold follow from."""
        ...

    def hinted(self, fold: int) -> LeftOut:
        """The same, nearly and for less: predictions vary as over the training rows."""
        ...

    def weights(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights, (n_columns, n_voxels), and intercepts, float32; `u` as of `Remainder.solve`."""
        ...


def exactly(solved: Solved, fold: int) -> LeftOut:
    """Scores as they are."""
    return solved.left_out(fold)


def nearly(solved: Solved, fold: int) -> LeftOut:
    """Hints, from which scores follow but for little."""
    return solved.hinted(fold)


class Mixed(Protocol):
    """The problem at some alphas of the wide bands."""

    def solve(self, out: Out, voxels: np.ndarray) -> Solved:
        """Solve for `voxels` on the stories outside the folds `out`."""
        ...


class Engine(Protocol):
    """One way to solve a problem's candidates.

    Attributes
    ----------
    split : Split
        The problem's wide and narrow bands.
    """

    split: Split

    def mixed(self, alphas: np.ndarray) -> Mixed:
        """The problem at the wide bands' `alphas`, (n_wide,); not all are infinite."""
        ...


@dataclass(frozen=True)
class Scored:
    """Scores at one point.

    Parameters
    ----------
    mean : array of shape (n_searches, n_combinations, n_voxels)
        Mean r over a search's folds.
    levels : array of shape (n_searches, n_folds, n_voxels)
        Mean r over combinations of the narrow bands' alphas.
    scatter : array of shape (n_searches, n_voxels)
        Squared differences to `mean`, summed over folds and combinations.
    open : array of bool, shape (n_searches,)
        Which searches came by the point: to the others it is not known.
    folds, hints : arrays of shape (n_searches, n_folds, n_combinations, n_voxels), or None
        R on every fold, and hints of it (`Solved.hinted`), where they are kept.
    """

    mean: np.ndarray
    levels: np.ndarray
    scatter: np.ndarray
    open: np.ndarray
    folds: np.ndarray | None = None
    hints: np.ndarray | None = None

    @classmethod
    def of(cls, scores: np.ndarray, keep: bool = False, hints: np.ndarray | None = None) -> Scored:
        """From r on every fold, which is kept if so asked."""
        mean = scores.mean(axis=1)
        scatter = np.square(scores - mean[:, None]).sum(axis=(1, 2))
        unknown = np.zeros(len(mean), bool)
        return cls(mean, scores.mean(axis=2), scatter, unknown, scores if keep else None, hints)


@dataclass(frozen=True)
class Found:
    """What one search found for its voxels.

    Parameters
    ----------
    points : list of Point
        Those that it came by.
    scores : array of shape (n_folds, n_points * n_combinations, n_voxels)
        R on its folds.
    levels, score : arrays of shape (n_bands, n_voxels), (n_voxels,)
        `Search.best`.
    """

    points: list[Point]
    scores: np.ndarray
    levels: np.ndarray
    score: np.ndarray


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
    keep, hint : bool
        Whether scores on every fold are kept (`found`), and hints of them (`hints`).
    """

    def __init__(
        self,
        engine: Engine,
        alphas: np.ndarray,
        n_voxels: int,
        uses: Mapping[Out, Sequence[tuple[int, int]]],
        n_searches: int,
        refinements: int = 0,
        keep: bool = False,
        hint: bool = False,
    ) -> None:
        self.engine, self.uses, self.refinements = engine, uses, refinements
        self.alphas, self.off = np.append(alphas, np.inf), len(alphas)
        self.n_wide = len(engine.split.wide)
        self.narrow = combinations(self.off, len(engine.split.narrow))
        self.n_searches, self.voxels = n_searches, np.arange(n_voxels)
        self._keep, self._ways = keep, (exactly, nearly) if hint else (exactly,)
        self._n_inner = sum(map(len, uses.values())) // n_searches
        self._scored: dict[Point, Scored] = {}

    @property
    def points(self) -> list[Point]:
        """The points that any search has come past."""
        return list(self._scored)

    def run(self) -> Search:
        """Try all that is worth trying. Returns itself."""
        middle = ((self.off - 1) // 2,) * self.n_wide
        self._open({middle: set(range(self.n_searches))})
        self._explore(self._together)
        self._explore(self._without_some, rounds=1)
        self._explore(self._one_in_or_out)
        self._explore(self._together)
        self._explore(self._singly, self.refinements)
        return self

    def best(self, search: int) -> tuple[np.ndarray, np.ndarray]:
        """Each voxel's alphas, as indices (n_bands, n_voxels) in the design's order, and its r."""
        points, place, chosen = self._choose(search)
        score = np.empty(len(self.voxels), np.float32)
        for i, point in enumerate(points):
            here = np.flatnonzero(place == i)
            score[here] = self._scored[point].mean[search, chosen[here], here]
        return self.levels(points, place, chosen), score

    def levels(self, points: list[Point], place: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Indices of alphas (n_bands, n_voxels) of voxels' points and combinations."""
        split = self.engine.split
        levels = np.empty((len(split.wide) + len(split.narrow), len(place)), int)
        levels[split.wide] = np.array(points)[place].T
        levels[split.narrow] = self.narrow[chosen].T
        return levels

    def found(self, search: int) -> Found:
        """What a search found, of scores that were kept."""
        known = {p: scored.folds for p, scored in self._scored.items() if scored.open[search]}
        scores = np.concatenate([f[search] for f in known.values() if f is not None], axis=1)
        return Found(list(known), scores, *self.best(search))

    def hints(self, point: Point) -> np.ndarray:
        """Hints of all searches at a point, (n_searches, n_folds, n_combinations, n_voxels)."""
        scored = self._scored.get(point)
        kept = scored.hints if scored else None
        return self.on_folds(point, (nearly,))[0] if kept is None else kept

    def _choose(self, search: int) -> tuple[list[Point], np.ndarray, np.ndarray]:
        """The points open to a search, and what is best for each voxel: which of the points, and
        which combination.
        """
        known = {p: scored for p, scored in self._scored.items() if scored.open[search]}
        means = np.concatenate([s.mean[search] for s in known.values()])
        levels = np.mean([s.levels[search] for s in known.values()], axis=0)
        scatter = np.sum([s.scatter[search] for s in known.values()], axis=0)
        scores = pooled(means, error_variance(scatter, levels, len(means)), self.voxels)
        return list(known), *np.divmod(best_of(scores), len(self.narrow))

    def _favoured(self, search: int) -> list[tuple[Point, np.ndarray]]:
        """The points that are best for more than a few of the voxels, and for which."""
        points, place, _ = self._choose(search)
        share = np.bincount(place, minlength=len(points)) / len(place)
        kept = [i for i, s in enumerate(share) if s > FEW or s == share.max()]
        if self.n_wide >= MANY:
            kept = sorted(kept, key=lambda i: (-share[i], i))[:LEADERS]
        return [(points[i], np.flatnonzero(place == i)) for i in kept]

    def _explore(self, moves: Moves, rounds: int | None = None) -> None:
        """Try the moves from where searches are best, until none is new or for some rounds."""
        while rounds != 0:
            wanted: dict[Point, set[int]] = {}
            for search in range(self.n_searches):
                for point, voxels in self._favoured(search):
                    for move in moves(search, point, voxels):
                        wanted.setdefault(move, set()).add(search)
            if not self._open(wanted):
                return
            rounds = None if rounds is None else rounds - 1

    def _together(self, _search: int, point: Point, _voxels: np.ndarray) -> list[Point]:
        """The alpha that the bands share (those that are not left out) a step down or up."""
        shared = min(point)
        return [
            tuple(shared + step if level == shared else level for level in point)
            for step in (-1, 1)
            if 0 <= shared + step < self.off
        ]

    def _without_some(self, _search: int, point: Point, _voxels: np.ndarray) -> list[Point]:
        """All bands but one, and one alone: at the shared alpha, and a step below; all of many but
        one at the shared alpha only.
        """
        shared, off, bands = min(point), self.off, range(self.n_wide)
        if self.n_wide == 1:
            return []
        levels = [level for level in (shared, shared - 1) if level >= 0]
        fewer = levels[:1] if self.n_wide >= MANY else levels
        without = [tuple(off if b == a else i for b in bands) for a in bands for i in fewer]
        alone = [tuple(i if b == a else off for b in bands) for a in bands for i in levels]
        return [*without, *alone]

    def _one_in_or_out(self, search: int, point: Point, voxels: np.ndarray) -> list[Point]:
        """One more band left out, or one taken back, at the shared alpha: of many bands those from
        which most is to be expected, so that there are not as many tries a step as bands.
        """
        shared, off = min(point), self.off
        moved = [
            (*point[:b], shared if point[b] == off else off, *point[b + 1 :])
            for b in range(self.n_wide)
        ]
        if self.n_wide < MANY:
            return [p for p in moved if min(p) < off]
        gains = self._gains(search, voxels) * np.where(np.array(point) == off, -1, 1)
        best = np.argsort(-gains, kind="stable")
        return [moved[b] for b in best if min(moved[b]) < off][:MOVES]

    def _gains(self, search: int, voxels: np.ndarray) -> np.ndarray:
        """What voxels' best r gains on average where one band is left out of all, (n_wide,)."""
        found = {p: s for p, s in self._scored.items() if s.open[search]}
        gains = np.full(self.n_wide, -np.inf)
        for point, scored in found.items():
            whole = found.get((min(point),) * self.n_wide)
            if whole and point.count(self.off) == 1 == len({*point} - {self.off}):
                r, r_whole = (s.mean[search][:, voxels].max(axis=0) for s in (scored, whole))
                b = point.index(self.off)
                gains[b] = max(gains[b], float((r - r_whole).mean()))
        return gains

    def _singly(self, _search: int, point: Point, _voxels: np.ndarray) -> list[Point]:
        """Each band's alpha a step down or up."""
        moved = [
            (*point[:b], point[b] + step, *point[b + 1 :])
            for b in range(self.n_wide)
            for step in (-1, 1)
        ]
        return [p for p in moved if 0 <= min(p) < self.off and max(p) <= self.off]

    def _open(self, wanted: Mapping[Point, set[int]]) -> bool:
        """Score points and open them to the searches that want them; whether any did anew."""
        for point in track([p for p in sorted(wanted) if p not in self._scored], "search: alphas"):
            scores, *hints = self.on_folds(point, self._ways)
            self._scored[point] = Scored.of(scores, self._keep, *hints)
        anew = False
        for point, searches in sorted(wanted.items()):
            is_open, wanting = self._scored[point].open, sorted(searches)
            anew |= not is_open[wanting].all()
            is_open[wanting] = True
        return anew

    def on_folds(
        self,
        point: Point,
        ways: Sequence[Way] = (exactly,),
        searches: Collection[int] | None = None,
        voxels: np.ndarray | None = None,
    ) -> np.ndarray:
        """R on each search's folds, (n_ways, n_searches, n_folds, n_combinations, n_voxels).

        Only of some `searches` and some `voxels`, if given; other searches' are not filled.
        """
        voxels = self.voxels if voxels is None else voxels
        n_searches, each = self.n_searches, (len(self.narrow), len(voxels))
        scores = np.zeros((len(ways), n_searches, self._n_inner, *each), np.float32)
        filled, mixed = [0] * n_searches, self.engine.mixed(self.alphas[list(point)])
        for out, every in self.uses.items():
            pairs = [(s, fold) for s, fold in every if searches is None or s in searches]
            if not pairs:
                continue
            solved = mixed.solve(out, voxels)
            left_out = {fold: [way(solved, fold) for way in ways] for _, fold in pairs}
            for c, combination in enumerate(self.narrow):
                u = solved.remainder.solve(self.alphas[combination], slice(None))
                for search, fold in pairs:
                    for own, sums in zip(scores, left_out[fold], strict=True):
                        own[search, filled[search], c] = sums.r(u)
            for search, _ in pairs:
                filled[search] += 1
        return scores
