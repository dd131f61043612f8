"""In how much of the population an effect is, from how many subjects show it by themselves.

Ince, Paton, Kay & Schyns 2021, eLife 10:e62461 (doi:10.7554/eLife.62461). Every subject is an
experiment of its own, with a test of its own. Of those who have the effect a share `power` is
found, of those who do not a share `alpha`: a subject's test is positive with the probability

    theta = alpha + (power - alpha) gamma,

gamma being the prevalence. With power 1 gamma is the share of people in whom an experiment of this
length finds the effect, a lower bound of those who have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import betainc, betaincinv

from pipeline.core.interval import CONFIDENCE

POWER = 1.0
MAJORITY = 0.5


@dataclass(frozen=True)
class Prevalence:
    """The posterior of the prevalence, uniform before the data.

    Parameters
    ----------
    k, n : int
        Subjects whose own test is positive, and all that were tested.
    alpha : float
        Rate of positive tests in subjects without the effect.
    power : float
        And in those with it, above `alpha`.
    """

    k: int
    n: int
    alpha: float
    power: float = POWER

    @property
    def map(self) -> float:
        """The most probable prevalence."""
        share = self.k / self.n if self.n else 0.0
        return float(np.clip(self._prevalence(share), 0, 1))

    def density(self, gamma: np.ndarray) -> np.ndarray:
        """Posterior density at prevalences from 0 to 1."""
        from scipy.stats import beta  # slow to import

        low, high = self._mass()
        own = beta.pdf(self._positive(gamma), *self._shape) * (self.power - self.alpha)
        return np.where((gamma >= 0) & (gamma <= 1), own / (high - low), 0.0)

    def above(self, gamma: float = MAJORITY) -> float:
        """Posterior probability that the prevalence is above `gamma`."""
        low, high = self._mass()
        return float((high - betainc(*self._shape, self._positive(gamma))) / (high - low))

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """Highest-posterior-density interval: the shortest that holds so much of the posterior.

        The density has one peak, so that the shortest interval is the one of greatest density.
        """
        return _shortest(self, confidence)

    def quantile(self, share: float) -> float:
        """The prevalence below which so much of the posterior is."""
        if share <= 0 or share >= 1:
            return float(share > 0)
        low, high = self._mass()
        theta = betaincinv(*self._shape, low + share * (high - low))
        return float(np.clip(self._prevalence(theta), 0, 1))

    @property
    def _shape(self) -> tuple[int, int]:
        """Parameters of the beta distribution of theta, had it no bounds."""
        return self.k + 1, self.n - self.k + 1

    def _mass(self) -> tuple[float, float]:
        """Its distribution function at the bounds, which are `alpha` and `power`."""
        low, high = betainc(*self._shape, [self.alpha, self.power])
        return float(low), float(high)

    def _positive(self, gamma: np.ndarray | float) -> np.ndarray | float:
        """Probability of a positive test at a prevalence (theta)."""
        return self.alpha + (self.power - self.alpha) * gamma

    def _prevalence(self, theta: float) -> float:
        """The prevalence at which a test is positive with this probability."""
        return (theta - self.alpha) / (self.power - self.alpha)


@cache
def _shortest(posterior: Prevalence, confidence: float) -> tuple[float, float]:
    """The shortest interval, found once for all units with the same counts."""
    from scipy.optimize import minimize_scalar  # slow to import

    def width(below: float) -> float:
        return posterior.quantile(below + confidence) - posterior.quantile(below)

    rest = 1 - confidence
    inner = minimize_scalar(width, bounds=(0, rest), method="bounded", options={"xatol": 1e-9})
    below = min((0.0, float(inner.x), rest), key=width)
    return posterior.quantile(below), posterior.quantile(below + confidence)
