"""What permutations say of every voxel, collected block by block in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TAIL = 0.1  # share of the permutations, the largest, that a generalised Pareto tail is fitted to
FEWEST = 30  # of them; with fewer p is counted
ENOUGH = 10  # permutations beyond the observed value from which on their count is p enough
LIGHTEST = -0.1  # least shape: freer fits of normal statistics gave p far too small
FURTHEST = 0.01  # p is extrapolated to this share of the smallest counted one at most
ROUNDING = 1e-6  # permutations within rounding of the observed value count as reaching it


@dataclass(frozen=True)
class Test:
    """A permutation test of every voxel.

    Parameters
    ----------
    p : array of shape (n_voxels,)
        Permutation p; NaN where the response does not vary.
    q : array of shape (n_voxels,)
        Benjamini-Hochberg q over the voxels.
    p_fwer : array of shape (n_voxels,)
        p against the largest value of any voxel (family-wise error).
    p_mean : float
        p of the mean over voxels.
    n_null : int
        Permutations; no counted p is below 1 / (1 + n_null).
    """

    __test__ = False  # pytest: not a test case

    p: np.ndarray
    q: np.ndarray
    p_fwer: np.ndarray
    p_mean: float
    n_null: int

    @property
    def p_floor(self) -> float:
        """Smallest p that counting gives."""
        return 1 / (1 + self.n_null)


class Tally:
    """Collects observed and permuted statistics; every block must see the same permutations.

    Parameters
    ----------
    n_null, n_voxels : int
        Permutations, voxels.
    two_sided : bool
        Whether a value below zero is as extreme as one above.
    tail : {"none", "gpd"}
        Whether small p values come from a generalised Pareto tail.
    """

    def __init__(
        self, n_null: int, n_voxels: int, two_sided: bool = False, tail: str = "none"
    ) -> None:
        self.n_null, self.two_sided, self.tail = n_null, two_sided, tail
        self.observed = np.full(n_voxels, np.nan)
        self.p = np.full(n_voxels, np.nan)
        self._largest = np.full(n_null, -np.inf)
        self._sums = np.zeros(n_null)

    def add(self, voxels: slice, observed: np.ndarray, null: np.ndarray) -> None:
        """Take a block: statistics (n_block,), and permuted ones (n_null, n_block)."""
        known = ~np.isnan(observed)
        self.observed[voxels] = observed
        if not known.any():
            return
        if not known.all():
            observed, null = observed[known], null[:, known]
        self._sums += null.sum(axis=1, dtype=np.float64)
        if self.two_sided:
            observed, null = np.abs(observed), np.abs(null)
        self._largest = np.maximum(self._largest, null.max(axis=1))
        observed = observed - np.float32(ROUNDING)
        if self.tail == "gpd":
            p = pareto_p(observed, null)
        else:
            p = permutation_p((null >= observed).sum(axis=0), self.n_null)
        self.p[voxels][known] = p

    def result(self) -> Test:
        """The test of all voxels."""
        known = ~np.isnan(self.observed)
        extreme = np.abs(self.observed) if self.two_sided else self.observed
        p_fwer = np.full(len(extreme), np.nan)
        p_fwer[known] = permutation_p(
            reaching(self._largest, extreme[known] - ROUNDING), self.n_null
        )
        return Test(self.p, fdr(self.p), p_fwer, self._p_mean(known), self.n_null)

    def _p_mean(self, known: np.ndarray) -> float:
        if not known.any():
            return float("nan")
        means, observed = self._sums / known.sum(), self.observed[known].mean()
        if self.two_sided:
            means, observed = np.abs(means), abs(observed)
        count = (means >= observed - ROUNDING).sum()
        return float(permutation_p(count, self.n_null))


def reaching(null: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """How many values of `null`, array of shape (n_null,), reach each observed one."""
    return len(null) - np.searchsorted(np.sort(null), observed, side="left")


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


def smallest_p(n_null: int, tail: str) -> float:
    """Smallest p that a test with so many permutations gives, with its tail "none" or "gpd"."""
    fitted = tail == "gpd" and int(TAIL * n_null) >= FEWEST
    return (FURTHEST if fitted else 1) / (1 + n_null)


def fdr(p: np.ndarray) -> np.ndarray:
    """Benjamini-Hochberg q values over the voxels that have a p; NaN elsewhere.

    `scipy.stats` has it, but takes longer to import than most tests take.
    """
    q = np.full(p.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    ascending = known[np.argsort(p.flat[known])]
    n = len(known)
    each = p.flat[ascending] * (n / np.arange(1, n + 1))
    q.flat[ascending] = np.minimum(np.minimum.accumulate(each[::-1])[::-1], 1)
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
    from scipy.special import inv_boxcox  # slow to import

    rank = (np.arange(1, len(excesses) + 1) - 0.35) / len(excesses)
    a0, a1 = excesses.mean(axis=0), ((1 - rank)[:, None] * excesses).mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        shape = np.maximum(2 - a0 / (a0 - 2 * a1), LIGHTEST)  # xi; their k is -xi
        scale = a0 * (1 - shape)  # so that the mean excess is a0
        # (1 + xi x)^(-1/xi), and 0 beyond the end that it has where xi < 0
        x = np.maximum(beyond, 0) / np.where(scale > 0, scale, np.nan)
        return np.where(1 + shape * x < 0, 0, inv_boxcox(-x, -shape))
