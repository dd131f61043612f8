"""How far a voxel's own scores are trusted, beside those of the subject's other voxels.

A voxel's cross-validation scores are noisy, and the best of many candidates is the best in part by
luck. What is best for most voxels of a subject is far better known. So a voxel chooses by

    (1 - w) own score + w mean score of the reference voxels,

which is empirical Bayes: w is the share of noise in what distinguishes voxels, from 0 (voxels
differ, and their scores say how) to 1 (their differences are noise). The noise is estimated from
the scatter over folds, with the correction for training sets that overlap (Nadeau and Bengio 2003,
Inference for the generalization error, Machine Learning 52: 239). Voxels count by the variance
that is explained in them: which candidate is best where nothing is predicted does not matter.

The reference voxels are the same for every block and job of a subject, so that blocks change
nothing; their scores are those of the search's own folds, so that a nested search knows nothing of
the fold that it leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEAR = 0.02  # candidates whose mean r is so near to the best one's tell how voxels differ


def reference_voxels(n_voxels: int, n: int) -> range:
    """At most `n` of a subject's voxels, evenly spaced in their order."""
    return range(0, n_voxels, max(-(-n_voxels // n), 1)) if n else range(0)


@dataclass(frozen=True)
class Pool:
    """What the reference voxels say, for each of some searches.

    Parameters
    ----------
    voxels : array of shape (n_reference,)
        The reference voxels, by index in the block.
    importance : array of shape (n_searches, n_reference)
        What each counts; sums to one.
    weight : array of shape (n_searches,)
        What their mean counts beside a voxel's own score.
    """

    voxels: np.ndarray
    importance: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray, voxels: np.ndarray) -> Pool:
        """Estimate what counts from the scores of some candidates on every fold.

        Parameters
        ----------
        scores : array of shape (n_searches, n_folds, n_candidates, n_reference)
            Correlations.
        voxels : array of shape (n_reference,)
            The reference voxels, by index in the block.
        """
        importance = np.stack([_importance(s) for s in scores])
        pairs = zip(scores, importance, strict=True)
        return cls(voxels, importance, np.array([_weight(s, i) for s, i in pairs], np.float32))

    def mean(self, table: np.ndarray) -> np.ndarray:
        """Mean over the reference voxels of their scores (n_searches, n_candidates, n_reference),
        (n_searches, n_candidates).
        """
        return np.einsum("scv,sv->sc", table, self.importance)

    def mixed(self, table: np.ndarray, voxels: np.ndarray) -> np.ndarray:
        """Scores that candidates are chosen by, of the same shape as the voxels' own.

        Parameters
        ----------
        table : array of shape (n_searches, n_candidates, n_voxels)
            Own scores.
        voxels : array of shape (n_voxels,)
            Which voxels of the block they are, ascending; the reference voxels are among them.
        """
        reference = table[:, :, np.searchsorted(voxels, self.voxels)]
        weight = self.weight[:, None, None]
        return (1 - weight) * table + weight * self.mean(reference)[:, :, None].astype(table.dtype)


def _importance(scores: np.ndarray) -> np.ndarray:
    """Variance explained by the candidate that is best on average, as shares of the sum."""
    mean = scores.mean(axis=0)
    explained = np.square(mean[mean.mean(axis=1).argmax()].clip(0)).astype(np.float64)
    n, total = len(explained), explained.sum()
    return explained / total if total > 0 else np.full(n, 1 / n)


def _weight(scores: np.ndarray, importance: np.ndarray) -> float:
    """Share of noise in what distinguishes the voxels' scores, of shape (n_folds, ...)."""
    n_folds = len(scores)
    if n_folds < 2:
        return 0.0
    mean = scores.mean(axis=0) @ importance
    apart = scores[:, mean >= mean.max() - NEAR].astype(np.float64)
    apart -= apart.mean(axis=1, keepdims=True)  # a voxel's level chooses nothing
    apart -= (apart @ importance)[..., None]
    spread = (np.square(apart.mean(axis=0)) @ importance).mean()
    scatter = (apart.var(axis=0, ddof=1) @ importance).mean()
    noise = scatter * (1 / n_folds + 1 / (n_folds - 1))
    return float(min(noise / spread, 1.0)) if spread > 0 else 0.0
