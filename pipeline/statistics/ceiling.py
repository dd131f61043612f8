"""The noise ceiling: how well the average of repeated presentations can be predicted at all.

With the repeats z-scored, the variance of their mean over the mean of their variances is
EV0 = EV + (1 - EV) / n, where EV is the share of a single presentation's variance that all n
presentations have in common. Solved for it, EV = EV0 - (1 - EV0) / (n - 1) (Sahani & Linden 2003;
Hsu, Borst & Theunissen 2004, doi:10.1088/0954-898X_15_2_002). A perfect model of what is common has
with the mean of the repeats the correlation CCmax = sqrt(n EV / (1 + (n - 1) EV)) (Schoppe et al.
2016, doi:10.3389/fncom.2016.00010). Intervals come from a jackknife over blocks of TRs, as BOLD is
autocorrelated, with Student's t.

A ceiling bounds models of the stimulus. A model that uses BOLD of the same run can predict what is
not common to the repeats, and so exceed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pipeline.core.interval import reach
from pipeline.core.series import zscore
from pipeline.statistics.blocks import block_starts

BLOCK = 20  # TRs of a block of the jackknife: longer than BOLD remembers
MIN_BLOCKS = 3  # fewer give no interval
ENDS = ("", "_lo", "_hi")  # of the names under which an estimate's value and interval are written


class Estimate(NamedTuple):
    """A quantity with its interval, arrays of shape (n_voxels,)."""

    value: np.ndarray
    lo: np.ndarray
    hi: np.ndarray


def explainable_variance(repeats: np.ndarray, block: int = BLOCK) -> Estimate:
    """Share EV of a presentation's variance that all presentations have in common.

    Parameters
    ----------
    repeats : array of shape (n_repeats, n_rows, n_voxels)
        Responses to the same story.
    block : int
        TRs of a block of the jackknife.

    Returns
    -------
    Estimate
        Not clipped: EV is negative by chance where nothing is common. NaN where a repeat does not
        vary, and an infinite interval where the story has fewer than `MIN_BLOCKS` blocks.
    """
    n, sums = len(repeats), _RepeatSums(repeats, block)
    return jackknife(np.stack([explained(n, *sums.without(b)) for b in sums.parts]))


def ceiling(ev: Estimate, n_repeats: int) -> np.ndarray:
    """CCmax of the mean of the repeats; NaN where the interval of EV holds 0, shape (n_voxels,)."""
    return np.where(ev.lo > 0, ccmax(ev.value, n_repeats), np.nan)


def ccmax(ev: np.ndarray, n_repeats: int) -> np.ndarray:
    """sqrt(n EV / (1 + (n - 1) EV)); NaN where EV is not above 0."""
    ev = np.where(ev > 0, ev, np.nan)
    return np.sqrt(n_repeats * ev / (1 + (n_repeats - 1) * ev))


def r_over_ceiling(
    predicted: np.ndarray, measured: np.ndarray, repeats: np.ndarray, block: int = BLOCK
) -> np.ndarray:
    """R / CCmax of the whole story, and without each block of it: what `jackknife` takes.

    Parameters
    ----------
    predicted, measured : arrays of shape (n_rows, n_voxels)
        A model's prediction, and the mean of the repeats.
    repeats : array of shape (n_repeats, n_rows, n_voxels)
        The presentations.
    block : int
        TRs of a block.

    Returns
    -------
    array of shape (1 + n_blocks, n_voxels)
        Not clipped: it exceeds 1 by chance. NaN in voxels without a ceiling.
    """
    n, sums = len(repeats), _RepeatSums(repeats, block)
    pairs = PairSums(predicted, measured, block)
    ev = np.stack([explained(n, *sums.without(b)) for b in sums.parts])
    r = np.stack([pairs.without(b) for b in sums.parts])
    return np.where(jackknife(ev).lo > 0, r / ccmax(ev, n), np.nan)


def explained(
    n_repeats: int, variance_of_mean: np.ndarray, mean_variance: np.ndarray
) -> np.ndarray:
    """EV, corrected for the noise that the mean of n repeats still has."""
    ev = variance_of_mean / mean_variance
    return ev - (1 - ev) / (n_repeats - 1)


def jackknife(values: np.ndarray) -> Estimate:
    """Value and interval from a quantity of all blocks and without each.

    Parameters
    ----------
    values : array of shape (1 + n_blocks, n_voxels)
        Of all blocks first.
    """
    value, without = values[0], values[1:]
    n = len(without)
    if n < MIN_BLOCKS:
        return Estimate(value, np.full_like(value, -np.inf), np.full_like(value, np.inf))
    error = np.sqrt((n - 1) * without.var(axis=0))
    half = reach(n) * error
    return Estimate(value, value - half, value + half)


def combine(estimates: Sequence[Estimate]) -> Estimate:
    """Mean of independent estimates, those that are NaN being left out."""
    value, lo, hi = (np.stack(columns) for columns in zip(*estimates, strict=True))
    known = ~np.isnan(value)
    n = np.where(known.any(axis=0), known.sum(axis=0), np.nan)
    mean = np.where(known, value, 0).sum(axis=0) / n
    half = np.linalg.norm(np.where(known, (hi - lo) / 2, 0), axis=0) / n
    return Estimate(mean, mean - half, mean + half)


class _RepeatSums:
    """Sums over blocks that give the variances of repeats and of their mean."""

    def __init__(self, repeats: np.ndarray, block: int) -> None:
        starts = block_starts(repeats.shape[1], block)
        self.n_rows = np.diff([*starts, repeats.shape[1]])
        self.parts = (None, *range(len(starts)))
        z = np.stack([zscore(repeat, constant=np.nan) for repeat in repeats])
        mean = z.mean(axis=0)
        self.x = np.add.reduceat(z, starts, axis=1)
        self.xx = np.add.reduceat((z * z).mean(axis=0), starts, axis=0)
        self.m = np.add.reduceat(mean, starts, axis=0)
        self.mm = np.add.reduceat(mean * mean, starts, axis=0)

    def without(self, block: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Variance of the mean, and mean variance, without a block."""
        keep = np.arange(len(self.n_rows)) != block
        n = self.n_rows[keep].sum()
        x, xx = self.x[:, keep].sum(axis=1) / n, self.xx[keep].sum(axis=0) / n
        m, mm = self.m[keep].sum(axis=0) / n, self.mm[keep].sum(axis=0) / n
        return mm - m * m, xx - (x * x).mean(axis=0)


class PairSums:
    """Sums over blocks that give the correlation of two series."""

    def __init__(self, predicted: np.ndarray, measured: np.ndarray, block: int) -> None:
        starts = block_starts(len(measured), block)
        p, y = zscore(predicted), zscore(measured, constant=np.nan)
        self.n_rows = np.diff([*starts, len(measured)])
        self.sums = np.stack(
            [np.add.reduceat(values, starts, axis=0) for values in (p, y, p * p, y * y, p * y)]
        )

    def without(self, block: int | None) -> np.ndarray:
        """Pearson r without a block; 0 where the prediction does not vary."""
        keep = np.arange(len(self.n_rows)) != block
        p, y, pp, yy, py = self.sums[:, keep].sum(axis=1) / self.n_rows[keep].sum()
        scale = np.sqrt((pp - p * p).clip(0) * (yy - y * y).clip(0))
        return (py - p * y) / np.where(scale == 0, np.inf, scale)
