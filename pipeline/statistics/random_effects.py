"""Means over subjects, who are a sample of those who might have been measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.core.interval import CONFIDENCE, moments

FEWEST = 2  # subjects; one has no spread
ROUNDING = 1e-12  # of a mean; a standard error below it is none


@dataclass(frozen=True)
class Effects:
    """Means over subjects, all of shape (n_units,).

    Parameters
    ----------
    n : array of int
        Subjects with a value.
    mean, sd : arrays
        Mean, and standard deviation between subjects (of what was measured, noise included).
    lo, hi : arrays
        95 % Student t interval of the mean in the population; NaN of fewer than two subjects.
    t : array
        Mean over its standard error; NaN where subjects do not differ.
    """

    n: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    lo: np.ndarray
    hi: np.ndarray
    t: np.ndarray


def random_effects(values: np.ndarray) -> Effects:
    """Random-effects mean over subjects with its interval.

    One value a subject, all of one weight (the summary-statistics approach of Holmes & Friston
    1998, doi:10.1016/S1053-8119(18)31587-8): the spread between subjects holds what they differ in
    and the noise of each, so that neither has to be known.

    Parameters
    ----------
    values : array of shape (n_subjects, n_units)
        A subject's mean over stories, in a voxel, a region, or all voxels; NaN where there is none.

    Returns
    -------
    Effects
    """
    from scipy.special import stdtrit  # slow to import

    n, mean, squares = moments(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        sd = np.sqrt(squares / np.where(n >= FEWEST, n - 1, np.nan))
        error = sd / np.sqrt(n)
        half = stdtrit(np.maximum(n - 1, 1), (1 + CONFIDENCE) / 2) * error
        t = np.where(error > ROUNDING * np.abs(mean), mean / error, np.nan)
        return Effects(n, mean, sd, mean - half, mean + half, t)
