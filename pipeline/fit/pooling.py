"""Scores that voxels share: those of voxels that are alike are averaged before anything is chosen.

A voxel's cross-validation scores are noisy, and the best of many candidates is the best in part by
luck. Voxels differ in what predicts them best, but each is one of many of its kind. So a voxel's
scores are replaced by an average over the reference voxels r, and the voxel itself,

    sum_r k_r s_r / sum_r k_r,    k_r = R2_r exp(-d_r^2 / (noise + noise_r)),

with s_r the scores less their mean over candidates (a voxel's level chooses nothing), d_r^2 the
mean squared distance of these to the voxel's own, and noise their error variances. Voxels whose
scores differ by no more than noise thus choose together, voxels that clearly differ do not. This is
empirical Bayes with the reference voxels as the prior's support (Kiefer and Wolfowitz 1956,
Consistency of the maximum likelihood estimator; Efron 2014, Two modeling strategies for empirical
Bayes estimation). The errors are estimated from the scatter over folds, with the correction for
training sets that overlap (Nadeau and Bengio 2003, Inference for the generalization error, Machine
Learning 52: 239). Voxels count by R2, the variance explained by their best candidate: what is best
where nothing is predicted does not matter.

The reference voxels are the same for every block and job of a subject, so that blocks change
nothing; scores are those of a search's own folds, so that a nested search knows nothing of the fold
that it leaves out.
"""

from __future__ import annotations

import numpy as np

from pipeline.core.progress import chunks

CHUNK = 2048  # voxels averaged at a time
TINY = 1e-12  # error variance below which scores are exact; importance of what is not predicted


def reference_voxels(n_voxels: int, n: int) -> range:
    """At most `n` (one or more) of a subject's voxels, evenly spaced in their order."""
    return range(0, n_voxels, max(-(-n_voxels // n), 1))


def error_variance(scatter: np.ndarray, levels: np.ndarray, n_candidates: int) -> np.ndarray:
    """Error variance of a voxel's mean scores, less their level, averaged over candidates.

    Parameters
    ----------
    scatter : array of shape (n_voxels,)
        Sum over folds and candidates of squared differences to the candidate's mean over folds.
    levels : array of shape (n_folds, n_voxels)
        Mean over the candidates of the scores on each fold.
    n_candidates : int
        How many they are.

    Returns
    -------
    array of shape (n_voxels,)
        0 where there is only one fold, which tells nothing.
    """
    n_folds = len(levels)
    if n_folds < 2:
        return np.zeros_like(scatter)
    variance = scatter / (n_folds - 1) / n_candidates - levels.var(axis=0, ddof=1)
    return variance.clip(0) * (1 / n_folds + 1 / (n_folds - 1))


def pooled(scores: np.ndarray, error: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Scores, less their mean over candidates, averaged over voxels that are alike.

    Parameters
    ----------
    scores : array of shape (n_candidates, n_voxels)
        Mean r over folds.
    error : array of shape (n_voxels,)
        Their error variance (`error_variance`).
    reference : array of shape (n_reference,)
        The reference voxels' indices.

    Returns
    -------
    array of shape (n_candidates, n_voxels), double
        What candidates are chosen by.
    """
    same = np.full(scores.shape[1], -1)
    same[reference] = np.arange(len(reference))
    return averaged(scores, error, scores[:, reference], error[reference], same)


def averaged(
    scores: np.ndarray,
    error: np.ndarray,
    reference: np.ndarray,
    reference_error: np.ndarray,
    same: np.ndarray,
) -> np.ndarray:
    """`pooled` of voxels that need not be among the reference voxels.

    Parameters
    ----------
    scores, error : arrays of shape (n_candidates, n_voxels), (n_voxels,)
        As of `pooled`.
    reference, reference_error : arrays of shape (n_candidates, n_reference), (n_reference,)
        Those of the reference voxels.
    same : array of shape (n_voxels,)
        Which reference voxel a voxel is, -1 where it is none.

    Returns
    -------
    array of shape (n_candidates, n_voxels), double
    """
    scores, importance = np.asarray(scores, np.float64), _importance(scores)
    apart, atoms = _apart(scores), _apart(reference)
    size, reference_size = (np.square(s).mean(axis=0) for s in (apart, atoms))
    result = np.empty_like(apart)
    for part in chunks(range(apart.shape[1]), CHUNK):
        products = apart[:, part].T @ atoms / len(scores)
        distance = (size[part, None] + reference_size - 2 * products).clip(0)
        weight = np.exp(-distance / (error[part, None] + reference_error + TINY))
        weight *= _importance(reference)
        here = np.flatnonzero(same[part] >= 0)
        weight[here, same[part][here]] = 0  # the voxel itself comes once, below
        own = importance[part]
        result[:, part] = (atoms @ weight.T + own * apart[:, part]) / (weight.sum(axis=1) + own)
    return result


def _importance(scores: np.ndarray) -> np.ndarray:
    """Variance explained by the best candidate, (n_voxels,)."""
    return np.square(np.asarray(scores, np.float64).max(axis=0).clip(0)) + TINY


def _apart(scores: np.ndarray) -> np.ndarray:
    """Scores less their mean over candidates, double."""
    scores = np.asarray(scores, np.float64)
    return scores - scores.mean(axis=0)
