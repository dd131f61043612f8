"""Banded ridge by our own search, on Gram or on kernel matrices."""

from __future__ import annotations

from functools import cached_property
from itertools import combinations

from pipeline.fit.base import Problem, Ridge
from pipeline.fit.search import Engine, Search, solve_best


class SearchSolver:
    """Chooses each band's alpha by cross-validation (see `pipeline.fit.base.Solver`).

    Parameters
    ----------
    problem : Problem
        Design, responses, folds and alphas.
    engine : Engine
        Solves single candidates of it.
    """

    def __init__(self, problem: Problem, engine: Engine) -> None:
        self.problem, self.engine = problem, engine

    def fit(self, exclude: int | None) -> Ridge:
        """See `pipeline.fit.base.Solver.fit`."""
        if exclude is None:
            return solve_best(self._final, 0, ())
        return solve_best(self._nested, exclude, (exclude,))

    @cached_property
    def _final(self) -> Search:
        """One search over all folds."""
        return self._search({(k,): [(0, k)] for k in range(self.problem.n_folds)}, 1)

    @cached_property
    def _nested(self) -> Search:
        """Search k leaves fold k out of everything.

        A model fitted without folds a and b serves twice: scored on b within search a, and on a
        within search b.
        """
        folds = range(self.problem.n_folds)
        return self._search(
            {(a, b): [(a, b), (b, a)] for a, b in combinations(folds, 2)}, len(folds)
        )

    def _search(
        self, uses: dict[tuple[int, ...], list[tuple[int, int]]], n_searches: int
    ) -> Search:
        problem = self.problem
        return Search(
            self.engine, problem.alphas, problem.n_voxels, uses, n_searches, problem.refinements,
            problem.reference,
        ).run()  # fmt: skip
