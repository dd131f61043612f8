"""Tests over subjects: without an effect each subject's could as well have been its negative.

The smallest two-sided p of n subjects is 2 / 2^n, as the flips come in pairs: with five it cannot
be below 0.05, so that there is no claim of fewer than six.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from pipeline.statistics.clusters import cluster_sizes, label_clusters
from pipeline.statistics.permutation import ROUNDING, fdr, permutation_p, reaching

FEWEST = 6
FORMING = 0.001  # two-sided p from which voxels form clusters (Eklund et al. 2016; Woo et al. 2014)
AT_ONCE = 2**22  # permuted values in memory


@dataclass(frozen=True)
class FlipTest:
    """Two-sided sign-flip tests, arrays of shape (n_units,); NaN of fewer than `FEWEST` subjects.

    Parameters
    ----------
    p, q, p_fwer : arrays
        p of every unit, its Benjamini-Hochberg q, and p against the largest of all units.
    p_cluster : array or None
        p of the unit's cluster, by its size against the largest cluster of all; 1 outside clusters.
    n_null : int
        Flips beside the one observed.
    """

    p: np.ndarray
    q: np.ndarray
    p_fwer: np.ndarray
    p_cluster: np.ndarray | None
    n_null: int


def draw_flips(n_subjects: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Signs of the subjects, one row a flip, array of shape (n_flips, n_subjects).

    All that differ from the observed one and from each other, where these are at most `n` (the
    first subject is never flipped, as the negative of a flip is as extreme); else `n` random ones.
    """
    n_all = 2 ** (n_subjects - 1) - 1
    if n_all > n:
        return rng.choice([-1.0, 1.0], (n, n_subjects))
    bits = np.arange(1, n_all + 1)[:, None] >> np.arange(n_subjects - 1) & 1
    return np.hstack([np.ones((n_all, 1)), 1.0 - 2 * bits])


def out_of_reach(n_subjects: int, n_flips: int, alpha: float) -> list[str]:
    """A note where there is a p, but 2 / 2^n, or one flip of all, is no less than `alpha`."""
    smallest = max(2.0 ** (1 - n_subjects), 1 / (1 + n_flips))
    if n_subjects < FEWEST or smallest < alpha:
        return []
    return [f"no sign-flip p can be below {alpha:g}: too few subjects or flips"]


def sign_flip_test(
    values: np.ndarray, flips: np.ndarray, edges: np.ndarray | None = None
) -> FlipTest:
    """Test whether the mean over subjects is other than 0, unit by unit and family-wise.

    The statistic is Student's t. It is compared as s = sum(x) / sqrt(sum(x^2)), which grows with it
    (t^2 = (n - 1) s^2 / (n - s^2)) and whose denominator no flip changes. Over flips its variance
    is 1 however many subjects have the unit, so that all units count alike in the family.

    Parameters
    ----------
    values : array of shape (n_subjects, n_units)
        One value a subject; NaN where it has none.
    flips : array of shape (n_flips, n_subjects)
        `draw_flips`.
    edges : array of int, shape (n_edges, 2), optional
        Pairs of neighbouring units, for clusters.

    Returns
    -------
    FlipTest
    """
    n = (~np.isnan(values)).sum(axis=0)
    enough = n >= FEWEST
    tested = np.nan_to_num(values[:, enough])
    size = np.sqrt((tested**2).sum(axis=0))
    scaled = tested / np.where(size > 0, size, 1.0)
    observed = scaled.sum(axis=0)
    bound = _bound(n[enough])
    if edges is not None:
        edges = _among(edges, enough)
        sizes = _sizes(observed, bound, edges)
    reached, largest, biggest = np.zeros(len(observed), int), [], []
    for null in _flipped(scaled, flips):
        extreme = np.abs(null)
        reached += (extreme >= np.abs(observed) - ROUNDING).sum(axis=0)
        largest += extreme.max(axis=1, initial=0).tolist()
        if edges is not None:
            biggest += [_sizes(flipped, bound, edges).max(initial=0) for flipped in null]
    n_null = len(flips)

    def spread(found: np.ndarray) -> np.ndarray:
        everywhere = np.full(len(enough), np.nan)
        everywhere[enough] = found
        return everywhere

    p = spread(permutation_p(reached, n_null))
    p_fwer = permutation_p(reaching(np.array(largest), np.abs(observed) - ROUNDING), n_null)
    p_cluster = None
    if edges is not None:
        in_cluster = permutation_p(reaching(np.array(biggest), sizes), n_null)
        p_cluster = spread(np.where(sizes > 0, in_cluster, 1.0))
    return FlipTest(p, fdr(p), spread(p_fwer), p_cluster, n_null)


def _flipped(scaled: np.ndarray, flips: np.ndarray) -> Iterator[np.ndarray]:
    """Statistics of some flips at a time, arrays of shape (n, n_units)."""
    step = max(1, AT_ONCE // max(scaled.shape[1], 1))
    for start in range(0, len(flips), step):
        yield flips[start : start + step] @ scaled


def _bound(n: np.ndarray) -> np.ndarray:
    """The statistic of `n` subjects from which units form clusters."""
    t = stdtrit(n - 1, 1 - FORMING / 2)
    return t * np.sqrt(n / (n - 1 + t**2))


def _sizes(statistic: np.ndarray, bound: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Size of each unit's cluster, 0 outside."""
    side = (statistic > bound).astype(int) - (statistic < -bound)
    return cluster_sizes(label_clusters(side, edges))


def _among(edges: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Edges between units that are kept, numbered among these."""
    place = np.cumsum(kept) - 1
    return place[edges[kept[edges].all(axis=1)]]
