"""Means with their 95 % intervals: of independent values, and of out-of-fold values of stories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95
# Variance of a mean of stories' out-of-fold r over that of as many independent values. Without an
# effect the r of two stories share the product of their noises, as each is predicted by what was
# learned on the other; over all pairs in different folds that adds as much as their own variance,
# however many folds there are.
SHARED = 2
FEWEST = 3  # stories; the spread of two says nothing, as it lacks what they share


def reach(n: int) -> float:
    """Standard errors, estimated from `n` values, that the interval reaches to either side."""
    from scipy.special import stdtrit  # slow to import

    return float(stdtrit(n - 1, (1 + CONFIDENCE) / 2))


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean of independent values, and the ends of its Student t interval.

    Parameters
    ----------
    values : array of shape (n_values,)
        Of one story each, say, all predicted by one model that was trained on none of them. Values
        of training stories, out of fold, are not independent: `story_mean`.
    """
    n, mean = len(values), values.mean()
    half = reach(n) * values.std(ddof=1) / np.sqrt(n)
    return float(mean), float(mean - half), float(mean + half)


def moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number, mean and sum of squares about it of what is known along the first axis.

    Parameters
    ----------
    values : array of shape (n_values, ...)
        NaN where there is none.

    Returns
    -------
    tuple of arrays of shape (...)
        Of no value the mean is NaN.
    """
    known = ~np.isnan(values)
    n = known.sum(axis=0)
    mean = np.where(known, values, 0).sum(axis=0) / np.where(n > 0, n, np.nan)
    return n, mean, (np.where(known, values - mean, 0) ** 2).sum(axis=0)


@dataclass(frozen=True)
class StoryMean:
    """Means over stories, all of one shape.

    Parameters
    ----------
    mean : array or float
    lo, hi : arrays or floats
        Ends of the 95 % interval; NaN of fewer than `FEWEST` stories.
    p : array or float
        One-sided, that the mean is above 0; NaN of fewer than `FEWEST` stories, 1 where all stories
        are alike, as two models that never differ are.
    """

    mean: np.ndarray
    lo: np.ndarray
    hi: np.ndarray
    p: np.ndarray

    @property
    def interval(self) -> tuple[float, float, float]:
        """Mean and ends of a single unit, as `interval` has them."""
        return float(self.mean), float(self.lo), float(self.hi)


def story_mean(by_story: np.ndarray) -> StoryMean:
    """Mean over training stories of out-of-fold values, with its interval and p: Student's t.

    Stories are predicted by models that were trained on each other. So the variance of the mean is
    taken `SHARED` times, and the stories' spread over n - 2, as it lacks what they share: the
    standard error is sqrt(2 (n - 1) / (n - 2)) times that of independent stories. Without an effect
    that is exact (docs/statistics.md); with a large one, where stories differ by what is their own,
    the interval is wider than it need be. No estimate from the scores alone tells the two apart
    (Bengio & Grandvalet 2004, J. Mach. Learn. Res. 5:1089-1105).

    Parameters
    ----------
    by_story : array of shape (n_stories, ...)
        Out-of-fold r, or the difference of two models paired by story; NaN in stories where a unit
        has none, which are left out.
    """
    from scipy.special import stdtr, stdtrit  # slow to import

    n, mean, squares = moments(by_story)
    few = n < FEWEST
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(SHARED * squares / np.where(few, np.nan, n - 2) / n)
        half = stdtrit(np.maximum(n - 1, 1), (1 + CONFIDENCE) / 2) * error
        p = np.where(error > 0, stdtr(np.maximum(n - 1, 1), -mean / error), 1.0)
    return StoryMean(mean, mean - half, mean + half, np.where(few, np.nan, p))
