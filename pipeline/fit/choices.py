"""What is best for voxels, where scores at most points may be interpolated.

Candidates lie side by side in the order of the points, as many at each. Voxels share their scores
with reference voxels before anything is chosen (`pipeline.fit.pooling`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.fit.pooling import averaged, error_variance

# Scores that differ by less are as good as equal: there the candidate tried first is taken, and of
# narrow bands' alphas the largest. Rounding, which changes with the block, is far smaller.
EQUAL = 1e-4
# Points between which scores decide that are not interpolated: with a third one the change in r is
# a tenth smaller, for half as much work again.
RIVALS = 2


def best_of(scores: np.ndarray) -> np.ndarray:
    """The best candidate of each voxel, (n_voxels,), of shared scores."""
    return (scores >= scores.max(axis=0) - EQUAL).argmax(axis=0)


def errors_of(scores: np.ndarray) -> np.ndarray:
    """Error variance, (n_voxels,), of scores on folds, (n_folds, n_candidates, n_voxels)."""
    scatter = np.square(scores - scores.mean(axis=0)).sum(axis=(0, 1))
    return error_variance(scatter, scores.mean(axis=1), scores.shape[1])


@dataclass(frozen=True)
class Alike:
    """Reference voxels, with whose scores those of others are averaged.

    Parameters
    ----------
    scores, error : arrays of shape (n_candidates, n_reference), (n_reference,)
        Their mean scores, and these' error variances.
    """

    scores: np.ndarray
    error: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray) -> Alike:
        """From scores on folds, (n_folds, n_candidates, n_reference)."""
        return cls(scores.mean(axis=0), errors_of(scores))

    def shared(
        self, every: np.ndarray, inflation: float, same: np.ndarray | None = None
    ) -> np.ndarray:
        """What voxels choose by, (n_candidates, n_voxels); see `averaged`.

        Parameters
        ----------
        every : array of shape (n_folds, n_candidates, n_voxels)
            Scores on folds.
        inflation : float
            Error variance over that of these scores.
        same : array of shape (n_voxels,), optional
            Which reference voxel a voxel is, -1 (by default) where it is none.
        """
        same = np.full(every.shape[2], -1) if same is None else same
        error = inflation * errors_of(every)
        return averaged(every.mean(axis=0), error, self.scores, self.error, same)


def rivals_of(shared: np.ndarray, n_points: int) -> np.ndarray:
    """The points whose best candidates are best, (n_rivals, n_voxels), the best first."""
    n_voxels = shared.shape[1]
    by_point = shared.reshape(n_points, -1, n_voxels).max(axis=1)
    return np.argsort(-by_point, axis=0, kind="stable")[:RIVALS]


def with_scores(
    every: np.ndarray, rivals: np.ndarray, scores: np.ndarray, n_points: int
) -> np.ndarray:
    """Scores on folds, with those at voxels' rivals put in.

    Parameters
    ----------
    every : array of shape (n_folds, n_candidates, n_voxels)
    rivals : array of shape (n_rivals, n_voxels)
    scores : array of shape (n_rivals, n_folds, n_combinations, n_voxels)
    """
    n_folds, _, n_voxels = every.shape
    put = every.reshape(n_folds, n_points, -1, n_voxels).copy()
    put[:, rivals, :, np.arange(n_voxels)] = scores.transpose(0, 3, 1, 2)
    return put.reshape(every.shape)


def only_rivals(shared: np.ndarray, rivals: np.ndarray, n_points: int) -> np.ndarray:
    """Shared scores, minus infinity at all points but the rivals."""
    n_voxels = shared.shape[1]
    by_point, voxels = shared.reshape(n_points, -1, n_voxels), np.arange(n_voxels)
    kept = np.full_like(by_point, -np.inf)
    kept[rivals, :, voxels] = by_point[rivals, :, voxels]
    return kept.reshape(shared.shape)
