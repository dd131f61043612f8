"""From counts of permutations to p values, and from many p values to decisions."""

from __future__ import annotations

import numpy as np
from scipy.stats import false_discovery_control, genpareto

TAIL = 0.1  # share of the permutations, the largest, that a generalised Pareto tail is fitted to
FEWEST = 30  # of them; with fewer p is counted
ENOUGH = 10  # permutations beyond the observed value from which on their count is p enough
LIGHTEST = -0.1  # least shape: freer fits of normal statistics gave p far too small
FURTHEST = 0.01  # p is extrapolated to this share of the smallest counted one at most


def permutation_p(count: np.ndarray, n_null: int) -> np.ndarray:
    """P = (1 + k) / (1 + n): the observed arrangement is one of those possible, so p is never 0.

    Phipson & Smyth 2010 (doi:10.2202/1544-6115.1585).

    Parameters
    ----------
    count : array
        Permutations at least as extreme as the observed value.
    n_null : int
        Permutations.
    """
    return (1 + count) / (1 + n_null)


def fdr(p: np.ndarray) -> np.ndarray:
    """Benjamini-Hochberg q values over the voxels that have a p; NaN elsewhere."""
    q = np.full(p.shape, np.nan)
    known = ~np.isnan(p)
    if known.any():
        q[known] = false_discovery_control(p[known], method="bh")
    return q


def pareto_p(observed: np.ndarray, null: np.ndarray) -> np.ndarray:
    """The p from a generalised Pareto distribution fitted to the upper tail of the permutations.

    As Knijnenburg et al. 2009 (doi:10.1093/bioinformatics/btp211), with probability-weighted
    moments (Hosking & Wallis 1987, doi:10.2307/1269343), which need no iteration. The shape is
    held at `LIGHTEST` or above, so that p errs upwards, and p at `FURTHEST`, so that it is not 0.

    Parameters
    ----------
    observed : array of shape (n_voxels,)
        Statistics.
    null : array of shape (n_null, n_voxels)
        The same with permuted predictions.

    Returns
    -------
    array of shape (n_voxels,)
        At most the counted p; the counted one where `ENOUGH` permutations reach the observed value.
    """
    n_null, n_tail = len(null), int(TAIL * len(null))
    count = (null >= observed).sum(axis=0)
    counted = permutation_p(count, n_null)
    if n_tail < FEWEST:
        return counted
    top = np.partition(null, n_null - n_tail - 1, axis=0)[n_null - n_tail - 1 :].astype(float)
    top.sort(axis=0)
    threshold = (top[0] + top[1]) / 2
    fitted = n_tail / n_null * _pareto_tail(top[1:] - threshold, observed - threshold)
    fitted = np.clip(fitted, FURTHEST / (1 + n_null), counted)
    return np.where((count < ENOUGH) & np.isfinite(fitted), fitted, counted)


def _pareto_tail(excesses: np.ndarray, beyond: np.ndarray) -> np.ndarray:
    """Probability that an excess is above `beyond`; NaN where there is no spread to fit.

    Parameters
    ----------
    excesses : array of shape (n_tail, n_voxels)
        Over a threshold, ascending.
    beyond : array of shape (n_voxels,)
        An excess.
    """
    rank = (np.arange(1, len(excesses) + 1) - 0.35) / len(excesses)
    a0, a1 = excesses.mean(axis=0), ((1 - rank)[:, None] * excesses).mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        shape = np.maximum(2 - a0 / (a0 - 2 * a1), LIGHTEST)  # xi; their k is -xi
        scale = a0 * (1 - shape)  # so that the mean excess is a0
        return genpareto.sf(np.maximum(beyond, 0), shape, scale=scale)
