"""Student t intervals of means over few independent values: stories, or blocks of TRs."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

CONFIDENCE = 0.95


def reach(n: int) -> float:
    """Standard errors, estimated from `n` values, that the interval reaches to either side."""
    return float(stdtrit(n - 1, (1 + CONFIDENCE) / 2))


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean, and the ends of its Student t interval.

    Parameters
    ----------
    values : array of shape (n_values,)
        Of one story each, say.
    """
    n, mean = len(values), values.mean()
    half = reach(n) * values.std(ddof=1) / np.sqrt(n)
    return float(mean), float(mean - half), float(mean + half)
