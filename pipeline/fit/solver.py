"""The solver: alphas by a search, and weights at the alphas that it chose.

Reference voxels search by themselves (`pipeline.fit.search`); the others of a block are guided by
what these found (`pipeline.fit.guided`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import combinations

import numpy as np

from pipeline.fit.guided import Guide, GuidedSearch
from pipeline.fit.probes import enough
from pipeline.fit.regression import Regression, Ridge
from pipeline.fit.search import Engine, Out, Point, Search

Uses = dict[Out, list[tuple[int, int]]]  # of `Search`


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
        if self._guide:
            levels, score = self.guided.best(self._guide.n_folds if exclude is None else exclude)
        else:
            levels, score = self.final.best(0) if exclude is None else self.nested.best(exclude)
        alphas = np.append(self.regression.alphas, np.inf)[levels]
        out = () if exclude is None else (exclude,)
        return Ridge(*solve_at(self.engine, alphas, out), alphas, score)

    @cached_property
    def final(self) -> Search:
        """One search over all folds."""
        return self._final().run()

    @cached_property
    def nested(self) -> Search:
        """Search k leaves fold k out of everything."""
        return self._nested().run()

    @cached_property
    def guided(self) -> GuidedSearch:
        """All of them, guided."""
        assert self._guide, "reference voxels are guided by none"
        return GuidedSearch(self._nested(), self._final(), self._guide, self._places)

    def guide(self) -> Guide:
        """What these voxels find, for others."""
        regression = self.regression
        return Guide(
            lambda: self.nested,
            lambda: self.final,
            self._costs,
            regression.n_voxels,
            regression.n_rows,
            regression.n_folds,
        )

    def _costs(self, points: Sequence[Point]) -> np.ndarray:
        """A system's solutions cost the square of its columns."""
        bands = self.regression.design.bands
        n_columns = np.array([bands[b].n_columns for b in self.engine.split.wide])
        kept = np.array(points) < len(self.regression.alphas)
        return np.square((kept * n_columns).sum(axis=1)).astype(float)

    def _final(self) -> Search:
        return self._search({(k,): [(0, k)] for k in range(self.regression.n_folds)}, 1)

    def _nested(self) -> Search:
        """A model fitted without folds a and b serves twice: scored on b within search a, and on a
        within search b.
        """
        folds = range(self.regression.n_folds)
        uses: Uses = {(a, b): [(a, b), (b, a)] for a, b in combinations(folds, 2)}
        hint = self._keep and enough(self.regression.n_voxels, self.regression.n_rows)
        return self._search(uses, len(folds), hint)

    def _search(self, uses: Uses, n_searches: int, hint: bool = False) -> Search:
        regression = self.regression
        return Search(
            self.engine,
            regression.alphas,
            regression.n_voxels,
            uses,
            n_searches,
            regression.refinements,
            self._keep,
            hint,
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
