"""The solver: alphas by a search, and weights at the alphas that it chose.

Reference voxels search by themselves (`pipeline.fit.search`); the others of a block are scored at
the points from which the rest of their scores follows, those that are predicted at more of them
(`pipeline.fit.probes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import combinations

import numpy as np

from pipeline.core.progress import chunks
from pipeline.fit.probes import FAINT, Chooser, Stage
from pipeline.fit.regression import Regression, Ridge
from pipeline.fit.search import Engine, Found, Out, Point, Search

CHUNK = 256  # voxels chosen for at a time
Uses = dict[Out, list[tuple[int, int]]]  # of `Search`


class Guide:
    """What the reference voxels found, for all blocks of a subject.

    Parameters
    ----------
    solver : SearchSolver
        Of the reference voxels alone, so that it is the same whatever the block.
    """

    def __init__(self, solver: SearchSolver) -> None:
        self._solver = solver

    @cached_property
    def final(self) -> list[Found]:
        """Of the search over all folds."""
        return self._found(self._solver.final, 1)

    @cached_property
    def nested(self) -> list[Found]:
        """Of the searches that each leave a fold out."""
        return self._found(self._solver.nested, self._solver.regression.n_folds)

    def _found(self, search: Search | GuidedSearch, n_searches: int) -> list[Found]:
        assert isinstance(search, Search), "reference voxels are guided by none"
        return [search.found(k) for k in range(n_searches)]

    def complete(self) -> Guide:
        """With both found, and what they were made of forgotten. Returns itself."""
        _ = self.final, self.nested
        del self._solver
        return self


class GuidedSearch:
    """Searches side by side of voxels most of which are no reference voxels (see `Search.best`).

    Parameters
    ----------
    search : Search
        The block's, not run.
    found : sequence of Found
        What the reference voxels found, search by search.
    places : array of shape (n_voxels,)
        Which reference voxel a voxel is, -1 where it is none.
    n_columns : sequence of int
        Of each wide band.
    n_rows : int
        Training rows of the regression.
    """

    def __init__(
        self,
        search: Search,
        found: Sequence[Found],
        places: np.ndarray,
        n_columns: Sequence[int],
        n_rows: int,
    ) -> None:
        self.search, self.found, self.places = search, found, places
        self.alphas, self._n_columns = search.alphas, np.asarray(n_columns)
        self.choosers: list[Chooser] = []
        self._others = np.flatnonzero(places < 0)
        if len(self._others):
            costs = [[*map(self._cost, f.points)] for f in found]
            self.choosers = [
                Chooser.of(f.scores, own, n_rows) for f, own in zip(found, costs, strict=True)
            ]
            self._chosen = self._choose()

    def _cost(self, point: Point) -> float:
        """A system's solutions cost the square of its columns."""
        return float(self._n_columns[np.array(point) < self.search.off].sum() ** 2)

    def _choose(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """What each search finds best for the other voxels, and its r."""
        first = [chooser.first for chooser in self.choosers]
        scores = self._at([stage.probes for stage in first], self._others)
        chosen = [self._best(k, stage, scores) for k, stage in enumerate(first)]
        beyond = [sorted({*c.last.probes} - {*c.first.probes}) for c in self.choosers]
        # By each search's own folds, and where it has more probes.
        further = [(r > FAINT) & bool(b) for (_, r), b in zip(chosen, beyond, strict=True)]
        some = np.flatnonzero(np.any(further, axis=0))
        # Only what is looked at again is copied: where all points are probes, nothing.
        scores = {(k, p): own[:, :, some] for (k, p), own in scores.items() if beyond[k]}
        scores |= self._at(beyond, self._others[some])
        for k, chooser in enumerate(self.choosers):
            if beyond[k]:
                own, (candidate, r) = np.flatnonzero(further[k][some]), chosen[k]
                candidate[some[own]], r[some[own]] = self._best(k, chooser.last, scores, own)
        return chosen

    def _at(
        self, probes: Sequence[Sequence[int]], voxels: np.ndarray
    ) -> dict[tuple[int, Point], np.ndarray]:
        """R of each search at its probes, (n_folds, n_combinations, n_voxels)."""
        wanted: dict[Point, list[int]] = {}
        for k, (own, found) in enumerate(zip(probes, self.found, strict=True)):
            for probe in own if len(voxels) else ():
                wanted.setdefault(found.points[probe], []).append(k)
        scores: dict[tuple[int, Point], np.ndarray] = {}
        for point, searches in sorted(wanted.items()):
            on_folds = self.search.on_folds(point, searches, voxels)
            scores |= {(k, point): on_folds[k].copy() for k in searches}
        return scores

    def _best(
        self,
        k: int,
        stage: Stage,
        scores: dict[tuple[int, Point], np.ndarray],
        voxels: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """`Chooser.best` of a search, for some of the voxels that were scored."""
        probes = [scores[k, self.found[k].points[probe]] for probe in stage.probes]
        voxels = np.arange(probes[0].shape[2]) if voxels is None else voxels
        candidate, r = np.empty(len(voxels), int), np.empty(len(voxels))
        for part in chunks(range(len(voxels)), CHUNK):
            own = np.concatenate([scored[:, :, voxels[part]] for scored in probes], axis=1)
            candidate[part], r[part] = self.choosers[k].best(stage, own)
        return candidate, r

    def best(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """See `Search.best`."""
        found = self.found[k]
        levels, score = found.levels[:, self.places], found.score[self.places]
        if len(self._others):
            candidate, score[self._others] = self._chosen[k]
            chosen = np.divmod(candidate, len(self.search.narrow))
            levels[:, self._others] = self.search.levels(found.points, *chosen)
        return levels, score


class SearchSolver:
    """Chooses each band's alpha by cross-validation (see `pipeline.fit.regression.Solver`).

    Parameters
    ----------
    regression : Regression
        Design, responses, folds and alphas.
    engine : Engine
        Solves single candidates of it.
    guide : Guide, optional
        What the reference voxels found; without, all voxels are reference voxels.
    places : array of shape (n_voxels,), optional
        Which reference voxel a voxel is, -1 where it is none.
    keep : bool
        Whether this is to guide others.
    """

    def __init__(
        self,
        regression: Regression,
        engine: Engine,
        guide: Guide | None = None,
        places: np.ndarray | None = None,
        keep: bool = False,
    ) -> None:
        self.regression, self.engine, self._guide, self._keep = regression, engine, guide, keep
        self._places = np.arange(regression.n_voxels) if places is None else places

    def fit(self, exclude: int | None) -> Ridge:
        """See `pipeline.fit.regression.Solver.fit`."""
        search, k = (self.final, 0) if exclude is None else (self.nested, exclude)
        levels, score = search.best(k)
        alphas, out = search.alphas[levels], () if exclude is None else (exclude,)
        return Ridge(*solve_at(self.engine, alphas, out), alphas, score)

    @cached_property
    def final(self) -> Search | GuidedSearch:
        """One search over all folds."""
        search = self._search({(k,): [(0, k)] for k in range(self.regression.n_folds)}, 1)
        return self._guided(search, self._guide.final) if self._guide else search.run()

    @cached_property
    def nested(self) -> Search | GuidedSearch:
        """Search k leaves fold k out of everything.

        A model fitted without folds a and b serves twice: scored on b within search a, and on a
        within search b.
        """
        folds = range(self.regression.n_folds)
        uses: Uses = {(a, b): [(a, b), (b, a)] for a, b in combinations(folds, 2)}
        search = self._search(uses, len(folds))
        return self._guided(search, self._guide.nested) if self._guide else search.run()

    def _guided(self, search: Search, found: Sequence[Found]) -> GuidedSearch:
        bands = self.regression.design.bands
        n_columns = [bands[b].n_columns for b in self.engine.split.wide]
        return GuidedSearch(search, found, self._places, n_columns, self.regression.n_rows)

    def _search(self, uses: Uses, n_searches: int) -> Search:
        regression = self.regression
        return Search(
            self.engine,
            regression.alphas,
            regression.n_voxels,
            uses,
            n_searches,
            regression.refinements,
            self._keep,
        )


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
