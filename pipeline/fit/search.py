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

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations as pairs_of
from typing import Protocol

import numpy as np

from pipeline.core.progress import track
from pipeline.fit.elimination import LeftOut, Remainder, Split, combinations
from pipeline.fit.pooling import error_variance, pooled
from pipeline.fit.regression import Regression, Ridge

# Scores that differ by less are as good as equal: there the candidate tried first is taken, and of
# narrow bands' alphas the largest. Rounding, which changes with the block, is far smaller.
EQUAL = 1e-4
FEW = 0.01  # share of the reference voxels up to which what is best for them is not followed up
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
    """

    mean: np.ndarray
    levels: np.ndarray
    scatter: np.ndarray
    open: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray) -> Scored:
        """From r on every fold, (n_searches, n_folds, n_combinations, n_voxels)."""
        mean = scores.mean(axis=1)
        scatter = np.square(scores - mean[:, None]).sum(axis=(1, 2))
        return cls(mean, scores.mean(axis=2), scatter, np.zeros(len(mean), bool))


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
    reference : array of int, optional
        Reference voxels, by index in the block; all of the block by default.
    """

    def __init__(
        self,
        engine: Engine,
        alphas: np.ndarray,
        n_voxels: int,
        uses: Mapping[Out, Sequence[tuple[int, int]]],
        n_searches: int,
        refinements: int = 0,
        reference: np.ndarray | None = None,
    ) -> None:
        self.engine, self.uses, self.refinements = engine, uses, refinements
        self.alphas, self.off = np.append(alphas, np.inf), len(alphas)
        self.n_wide = len(engine.split.wide)
        self.narrow = combinations(self.off, len(engine.split.narrow))
        self.n_searches, self.voxels = n_searches, np.arange(n_voxels)
        self.reference = self.voxels if reference is None else reference
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
        split = self.engine.split
        points, place, chosen = self._choose(search, self.voxels, self.reference)
        levels = np.empty((len(split.wide) + len(split.narrow), len(self.voxels)), int)
        levels[split.wide] = np.array(points)[place].T
        levels[split.narrow] = self.narrow[chosen].T
        score = np.empty(len(self.voxels), np.float32)
        for i, point in enumerate(points):
            here = np.flatnonzero(place == i)
            score[here] = self._scored[point].mean[search, chosen[here], here]
        return levels, score

    def _choose(
        self, search: int, voxels: np.ndarray, reference: np.ndarray
    ) -> tuple[list[Point], np.ndarray, np.ndarray]:
        """The points open to a search, and what is best for each of some voxels: which of the
        points, and which combination. `reference` are indices in `voxels`.
        """
        known = {p: scored for p, scored in self._scored.items() if scored.open[search]}
        means = np.concatenate([s.mean[search][:, voxels] for s in known.values()])
        levels = np.mean([s.levels[search][:, voxels] for s in known.values()], axis=0)
        scatter = np.sum([s.scatter[search][voxels] for s in known.values()], axis=0)
        scores = pooled(means, error_variance(scatter, levels, len(means)), reference)
        best = (scores >= scores.max(axis=0) - EQUAL).argmax(axis=0)
        return list(known), *np.divmod(best, len(self.narrow))

    def _favoured(self, search: int) -> list[Point]:
        """The points that are best for more than a few of the reference voxels."""
        points, place, _ = self._choose(search, self.reference, np.arange(len(self.reference)))
        share = np.bincount(place, minlength=len(points)) / len(place)
        return [
            point for point, s in zip(points, share, strict=True) if s > FEW or s == share.max()
        ]

    def _explore(self, moves: Callable[[Point], list[Point]], rounds: int | None = None) -> None:
        """Try the moves from where searches are best, until none is new or for some rounds."""
        while rounds != 0:
            wanted: dict[Point, set[int]] = {}
            for search in range(self.n_searches):
                for point in self._favoured(search):
                    for move in moves(point):
                        wanted.setdefault(move, set()).add(search)
            if not self._open(wanted):
                return
            rounds = None if rounds is None else rounds - 1

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

    def _open(self, wanted: Mapping[Point, set[int]]) -> bool:
        """Score points and open them to the searches that want them; whether any did anew."""
        for point in track([p for p in sorted(wanted) if p not in self._scored], "search: alphas"):
            self._scored[point] = Scored.of(self._on_folds(point))
        anew = False
        for point, searches in sorted(wanted.items()):
            is_open, wanting = self._scored[point].open, sorted(searches)
            anew |= not is_open[wanting].all()
            is_open[wanting] = True
        return anew

    def _on_folds(self, point: Point) -> np.ndarray:
        """R on each search's folds, (n_searches, n_folds, n_combinations, n_voxels)."""
        shape = (self.n_searches, self._n_inner, len(self.narrow), len(self.voxels))
        scores, filled = np.zeros(shape, np.float32), [0] * self.n_searches
        mixed = self.engine.mixed(self.alphas[list(point)])
        for out, pairs in self.uses.items():
            solved = mixed.solve(out, self.voxels)
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
    alphas = search.alphas[levels]
    return Ridge(*solve_at(search.engine, alphas, out), alphas, score)


def solve_at(engine: Engine, alphas: np.ndarray, out: Out) -> tuple[np.ndarray, np.ndarray]:
    """Fit every voxel at alphas of its own on the stories outside the folds `out`.

    Parameters
    ----------
    engine : Engine
        Solves single candidates.
    alphas : array of shape (n_bands, n_voxels)
        Of each band, in the design's order; infinite, it is left out.
    out : tuple of int
        Folds left out.

    Returns
    -------
    weights, intercept : arrays of shape (n_columns, n_voxels), (n_voxels,), float32
    """
    split, n_voxels, parts = engine.split, alphas.shape[1], []
    points, which = np.unique(alphas[split.wide], axis=1, return_inverse=True)
    for i, point in enumerate(points.T):
        voxels = np.flatnonzero(which == i)
        solved = engine.mixed(point).solve(out, voxels)
        narrow = alphas[split.narrow][:, voxels]
        u = np.empty((len(split.narrow_bands), len(voxels)))
        for combination in np.unique(narrow, axis=1).T:
            some = np.flatnonzero((narrow == combination[:, None]).all(axis=0))
            u[:, some] = solved.remainder.solve(combination, some)
        parts.append((voxels, *solved.weights(u)))
    weights = np.empty((len(parts[0][1]), n_voxels), np.float32)
    intercept = np.empty(n_voxels, np.float32)
    for voxels, w, b in parts:
        weights[:, voxels], intercept[voxels] = w, b
    return weights, intercept


class SearchSolver:
    """Chooses each band's alpha by cross-validation (see `pipeline.fit.regression.Solver`).

    Parameters
    ----------
    regression : Regression
        Design, responses, folds and alphas.
    engine : Engine
        Solves single candidates of it.
    """

    def __init__(self, regression: Regression, engine: Engine) -> None:
        self.regression, self.engine = regression, engine

    def fit(self, exclude: int | None) -> Ridge:
        """See `pipeline.fit.regression.Solver.fit`."""
        if exclude is None:
            return solve_best(self._final, 0, ())
        return solve_best(self._nested, exclude, (exclude,))

    @cached_property
    def _final(self) -> Search:
        """One search over all folds."""
        return self._search({(k,): [(0, k)] for k in range(self.regression.n_folds)}, 1)

    @cached_property
    def _nested(self) -> Search:
        """Search k leaves fold k out of everything.

        A model fitted without folds a and b serves twice: scored on b within search a, and on a
        within search b.
        """
        folds = range(self.regression.n_folds)
        return self._search({(a, b): [(a, b), (b, a)] for a, b in pairs_of(folds, 2)}, len(folds))

    def _search(
        self, uses: dict[tuple[int, ...], list[tuple[int, int]]], n_searches: int
    ) -> Search:
        regression = self.regression
        return Search(
            self.engine,
            regression.alphas,
            regression.n_voxels,
            uses,
            n_searches,
            regression.refinements,
            regression.reference,
        ).run()
