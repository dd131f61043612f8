"""What permutations say of every voxel, collected block by block in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.significance.correct import fdr, pareto_p, permutation_p

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
            _reaching(self._largest, extreme[known] - ROUNDING), self.n_null
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


def _reaching(null: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """How many values of `null` reach each observed one."""
    return len(null) - np.searchsorted(np.sort(null), observed, side="left")
