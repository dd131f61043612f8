"""The search: which scaling of the bands and which alpha predicts each voxel best.

The first scaling (equal shares) is tried with every alpha. For the others a voxel starts at the
alpha that was best for it so far and walks on as long as its score rises: the score has one peak
over alpha. When `SCALINGS_AT_A_TIME` scalings have not helped a voxel, it leaves the search.
Each voxel's path depends on its own scores only, so that the blocks it is fitted in change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from pipeline.fit.base import Ridge
from pipeline.progress import track

SCALINGS_AT_A_TIME = 8

Out = tuple[int, ...]  # folds left out of the training set


class Scaled(Protocol):
    """A training set whose bands are scaled, ready to be solved for any alpha."""

    def solve(self, alpha: float, voxels: np.ndarray) -> Any:
        """Coefficients of `voxels`, in whatever form `r` and `weights` take."""
        ...

    def r(self, coefficients: Any, fold: int, voxels: np.ndarray) -> np.ndarray:
        """Pearson r on the stories of `fold`, (n_voxels,); 0 where either is constant."""
        ...

    def weights(self, coefficients: Any) -> np.ndarray:
        """Weights of the unscaled design, (n_columns, n_voxels), float32."""
        ...


class Training(Protocol):
    """The training stories without some folds."""

    def scaled(self, scaling: np.ndarray) -> Scaled:
        """Scale the bands, (n_bands,)."""
        ...

    def intercept(self, weights: np.ndarray) -> np.ndarray:
        """Intercepts that go with `weights` of all voxels, (n_voxels,)."""
        ...


class Engine(Protocol):
    """One way to solve a problem's candidates.

    Attributes
    ----------
    size : int
        Rows of the systems that it factorises.
    """

    size: int

    def training(self, out: Out) -> Training:
        """Training set without the folds `out`."""
        ...


class Search:
    """Cross-validation scores of candidates, one or several searches side by side.

    Parameters
    ----------
    engine : Engine
        Solves and scores.
    scalings, alphas : arrays of shape (n_scalings, n_bands), (n_alphas,)
        The candidates; alphas ascending.
    n_voxels : int
        Voxels of the block.
    uses : mapping of tuple of int to sequence of (int, int)
        For each set of folds left out, the (search, fold to score on) pairs that its models serve.
    n_searches : int
        Searches; each takes the mean over its folds.
    min_gain : float
        A voxel leaves when `SCALINGS_AT_A_TIME` scalings raised its score by less.
    """

    def __init__(
        self,
        engine: Engine,
        scalings: np.ndarray,
        alphas: np.ndarray,
        n_voxels: int,
        uses: Mapping[Out, Sequence[tuple[int, int]]],
        n_searches: int,
        min_gain: float,
    ) -> None:
        self.engine, self.scalings, self.alphas = engine, scalings, alphas
        self.uses, self.min_gain = uses, min_gain
        self.n_inner = sum(map(len, uses.values())) // n_searches
        shape = (n_searches, len(scalings), len(alphas), n_voxels)
        self.scores = np.full(shape, np.nan, np.float32)
        self._reached = np.zeros(shape[1:], bool)  # by the voxel's own path
        self._active = np.ones(n_voxels, bool)

    def run(self) -> Search:
        """Score candidates until none promises more; the others stay NaN. Returns itself."""
        n_scalings, n_alphas, n_voxels = self._reached.shape
        self._evaluate({0: np.ones((n_alphas, n_voxels), bool)})
        for first in range(1, n_scalings, SCALINGS_AT_A_TIME):
            batch = range(first, min(first + SCALINGS_AT_A_TIME, n_scalings))
            before = self._best()
            start = self._around(before.argmax(axis=1)) & self._active
            wanted = dict.fromkeys(batch, start)
            while any(mask.any() for mask in wanted.values()):
                self._evaluate(wanted)
                wanted = {s: self._uphill(s) & self._active for s in batch}
            gains = self._best().max(axis=1) - before.max(axis=1)
            self._active &= gains.max(axis=0) >= self.min_gain
            if not self._active.any():
                break
        self.scores[:, ~self._reached] = np.nan
        return self

    def best(self, search: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Scaling index, alpha index and score of each voxel's best candidate, (n_voxels,) each."""
        table = self.scores[search].reshape(-1, self.scores.shape[-1])
        best = np.nanargmax(table, axis=0)
        score = np.take_along_axis(table, best[None], axis=0)[0]
        return *np.divmod(best, len(self.alphas)), score

    def _known(self, scalings: int | slice) -> np.ndarray:
        """Scores that the voxels' own paths have reached, -2 elsewhere."""
        return np.where(self._reached[scalings], self.scores[:, scalings], np.float32(-2))

    def _best(self) -> np.ndarray:
        """Best score over scalings, (n_searches, n_alphas, n_voxels); -2 where none is known."""
        return self._known(slice(None)).max(axis=1)

    def _around(self, peaks: np.ndarray) -> np.ndarray:
        """Alphas at and beside any search's peak, mask of shape (n_alphas, n_voxels)."""
        distance = np.arange(len(self.alphas))[:, None] - peaks[:, None]
        return (np.abs(distance) <= 1).any(axis=0)

    def _uphill(self, scaling: int) -> np.ndarray:
        """Alphas beside a peak of `scaling` that are not reached yet, (n_alphas, n_voxels)."""
        return self._around(self._known(scaling).argmax(axis=1)) & ~self._reached[scaling]

    def _evaluate(self, wanted: Mapping[int, np.ndarray]) -> None:
        """Score the wanted (scaling: mask over alphas and voxels) candidates in every search."""
        missing = {}
        for scaling, mask in wanted.items():
            self._reached[scaling] |= mask
            missing[scaling] = self._missing(scaling, mask)
            self.scores[:, scaling, missing[scaling]] = 0
        missing = {scaling: mask for scaling, mask in missing.items() if mask.any()}
        if not missing:
            return
        for out in track(list(self.uses), "search: sets of folds left out"):
            training = self.engine.training(out)
            for scaling, mask in missing.items():
                scaled = training.scaled(self.scalings[scaling])
                for alpha in np.flatnonzero(mask.any(axis=1)):
                    voxels = np.flatnonzero(mask[alpha])
                    coefficients = scaled.solve(self.alphas[alpha], voxels)
                    for search, fold in self.uses[out]:
                        r = scaled.r(coefficients, fold, voxels)
                        self.scores[search, scaling, alpha, voxels] += r / self.n_inner

    def _missing(self, scaling: int, wanted: np.ndarray) -> np.ndarray:
        """What of `wanted` is to be scored, mask of shape (n_alphas, n_voxels).

        Where voxels are few, a factorisation costs more than solving for all of them: they are
        scored with those that want it, lest it be made again. A score is used once it is wanted.
        """
        unknown = np.isnan(self.scores[0, scaling])
        missing = wanted & unknown
        if self._active.sum() <= self.engine.size // 8:
            missing = (missing.any(axis=1)[:, None] & self._active) & unknown
        return missing


def solve_best(
    engine: Engine,
    out: Out,
    scalings: np.ndarray,
    alphas: np.ndarray,
    best: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> Ridge:
    """Fit each voxel's best candidate on the training stories without the folds `out`."""
    scaling, alpha, score = best
    training = engine.training(out)
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    for s in np.unique(scaling):
        scaled = training.scaled(scalings[s])
        for a in np.unique(alpha[scaling == s]):
            voxels = np.flatnonzero((scaling == s) & (alpha == a))
            parts.append((voxels, scaled.weights(scaled.solve(alphas[a], voxels))))
    weights = np.empty((len(parts[0][1]), len(score)), np.float32)
    for voxels, part in parts:
        weights[:, voxels] = part
    intercept = training.intercept(weights)
    return Ridge(weights, intercept, scalings[scaling].T, alphas[alpha], score)
