"""Banded ridge on Gram matrices, for many TRs.

X'X and X'Y are summed once for each fold. Leaving folds out is then a subtraction, and scaling a
band multiplies rows and columns, so that no candidate touches the time series again. Each candidate
costs one Cholesky factorisation, some twenty times cheaper here than the eigendecomposition that
would serve all alphas. Scores come from the left-out fold's Gram matrix as well: with predictions
X w, cov(X w, y) = w'X'y and var(X w) = w'X'X w.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from pipeline.fit.base import Problem, Ridge
from pipeline.progress import track


@dataclass(frozen=True)
class Moments:
    """Sums over the rows of some stories, of which sums and differences can be taken.

    Parameters
    ----------
    n : int
        Rows.
    x, y : arrays of shape (n_columns,), (n_voxels,)
        Column sums of the design and of the responses.
    xx, xy : arrays of shape (n_columns, n_columns), (n_columns, n_voxels)
        X'X and X'Y.
    yy : array of shape (n_voxels,)
        Sums of squared responses.
    """

    n: int
    x: np.ndarray
    y: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, responses: np.ndarray) -> Moments:
        """Moments of one story; products in the design's precision, sums in double."""
        return cls(
            len(rows),
            rows.sum(axis=0, dtype=np.float64),
            responses.sum(axis=0, dtype=np.float64),
            rows.T @ rows,
            rows.T @ responses,
            np.einsum("ij,ij->j", responses, responses, dtype=np.float64),
        )

    def __add__(self, other: Moments) -> Moments:
        return Moments(*(getattr(self, k) + getattr(other, k) for k in self.__annotations__))

    def centred(self) -> Moments:
        """The same about the means of these rows (the sums become zero)."""
        mean_x, mean_y = self.x / self.n, self.y / self.n
        return Moments(
            self.n,
            np.zeros_like(self.x),
            np.zeros_like(self.y),
            self.xx - np.outer(self.x, mean_x).astype(self.xx.dtype),
            self.xy - np.outer(self.x, mean_y).astype(self.xy.dtype),
            self.yy - self.y * mean_y,
        )


class GramSolver:
    """Banded ridge whose candidates are solved on Gram matrices.

    Parameters
    ----------
    problem : Problem
        Design, responses, folds and candidates.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._bands = np.repeat(
            np.arange(len(problem.design.bands)), [b.n_columns for b in problem.design.bands]
        )

    @cached_property
    def _folds(self) -> list[Moments]:
        """Moments of each fold, summed over its stories one at a time."""
        return [
            _total(
                Moments.of(self.problem.design.rows(story), self.problem.responses[story])
                for story, fold in self.problem.folds.items()
                if fold == k
            )
            for k in range(self.problem.n_folds)
        ]

    def fit(self, exclude: int | None) -> Ridge:
        """See `pipeline.fit.base.Solver.fit`."""
        scores = self._final_scores if exclude is None else self._nested_scores[exclude]
        best = scores.argmax(axis=0)
        train = self._without(() if exclude is None else (exclude,))
        centred = train.centred()
        weights = np.empty_like(train.xy)
        for candidate in np.unique(best):
            voxels = np.flatnonzero(best == candidate)
            weights[:, voxels] = next(self._solutions(centred, [candidate], voxels))
        scaling, alpha = np.divmod(best, len(self.problem.alphas))
        return Ridge(
            weights,
            (train.y - train.x @ weights).astype(np.float32) / train.n,
            self.problem.scalings[scaling].T,
            self.problem.alphas[alpha],
            scores.max(axis=0),
        )

    @cached_property
    def _final_scores(self) -> np.ndarray:
        """Mean r over all folds of every candidate, array of shape (n_candidates, n_voxels)."""
        n_folds = self.problem.n_folds
        left_out = [(k,) for k in range(n_folds)]
        return self._mean_scores(left_out, lambda out: [(0, out[0])], 1, n_folds)[0]

    @cached_property
    def _nested_scores(self) -> np.ndarray:
        """Mean inner-fold r of every candidate, array of shape (n_folds, n_candidates, n_voxels).

        Entry k is the search without fold k. A model fitted without folds a and b serves twice:
        scored on b within the search without a, and on a within the search without b.
        """
        n_folds = self.problem.n_folds
        left_out = list(combinations(range(n_folds), 2))
        return self._mean_scores(left_out, lambda out: [out, out[::-1]], n_folds, n_folds - 1)

    def _mean_scores(
        self,
        left_out: Sequence[tuple[int, ...]],
        uses: Callable[[tuple[int, ...]], Sequence[tuple[int, ...]]],
        n_searches: int,
        n_inner: int,
    ) -> np.ndarray:
        """Fit every candidate without each set of folds; `uses` says (search, fold to score on)."""
        candidates = range(len(self.problem.scalings) * len(self.problem.alphas))
        n_voxels = self._folds[0].xy.shape[1]
        scores = np.zeros((n_searches, len(candidates), n_voxels), dtype=np.float32)
        for out in track(left_out, "search: sets of folds left out"):
            solutions = self._solutions(self._without(out).centred(), candidates)
            for candidate, weights in enumerate(solutions):
                for search, fold in uses(out):
                    r = _correlation(weights, self._centred[fold])
                    scores[search, candidate] += r / n_inner
        return scores

    @cached_property
    def _centred(self) -> list[Moments]:
        return [fold.centred() for fold in self._folds]

    def _without(self, folds: tuple[int, ...]) -> Moments:
        return _total(m for k, m in enumerate(self._folds) if k not in folds)

    def _solutions(
        self, centred: Moments, candidates: Iterable[int], voxels: np.ndarray | slice = slice(None)
    ) -> Iterator[np.ndarray]:
        """Weights of the unscaled design, (n_columns, n_voxels), of each candidate in turn."""
        for candidate in candidates:
            scaling, alpha = divmod(candidate, len(self.problem.alphas))
            factor = np.sqrt(self.problem.scalings[scaling])[self._bands]
            yield ridge(centred.xx, centred.xy[:, voxels], factor, self.problem.alphas[alpha])


def ridge(xx: np.ndarray, xy: np.ndarray, factor: np.ndarray, alpha: float) -> np.ndarray:
    """Solve ridge on columns multiplied by `factor`; weights refer to the original columns.

    Single precision is kept only where rounding of the Gram matrix stays well below `alpha`;
    elsewhere the matrix need not be positive definite in it, and the solve is done in double.

    Parameters
    ----------
    xx, xy : arrays of shape (n_columns, n_columns), (n_columns, n_voxels)
        Centred X'X and X'Y.
    factor : array of shape (n_columns,)
        Column factors (square root of the band's scaling).
    alpha : float
        Regularisation.

    Returns
    -------
    array of shape (n_columns, n_voxels)
    """
    safe = alpha > 10 * np.finfo(np.float32).eps * (factor**2 @ xx.diagonal())
    dtype = np.float32 if safe and xx.dtype == np.float32 else np.float64
    factor = factor.astype(dtype)
    system = xx.astype(dtype) * factor * factor[:, None]
    system.flat[:: len(system) + 1] += alpha
    cholesky = cho_factor(system, lower=True, overwrite_a=True, check_finite=False)
    solved = cho_solve(
        cholesky, factor[:, None] * xy.astype(dtype), overwrite_b=True, check_finite=False
    )
    return (factor[:, None] * solved).astype(xy.dtype)


def _total(parts: Iterable[Moments]) -> Moments:
    parts = iter(parts)
    total = next(parts)
    for part in parts:
        total = total + part
    return total


def _correlation(weights: np.ndarray, centred: Moments) -> np.ndarray:
    """Pearson r of predictions X w with the responses, (n_voxels,); 0 where either is constant."""
    covariance = np.einsum("ij,ij->j", weights, centred.xy)
    variance = np.einsum("ij,ij->j", weights, centred.xx @ weights)
    scale = np.sqrt(np.maximum(variance, 0) * np.maximum(centred.yy, 0))
    return np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 1e-12)
