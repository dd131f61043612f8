"""The posterior of a prevalence, against numerical integration and the paper's numbers."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import trapezoid

from pipeline.statistics.prevalence import Prevalence

GAMMA = np.linspace(0, 1, 200_001)
CASES = [(0, 12, 1.0), (1, 20, 1.0), (4, 27, 1.0), (8, 12, 1.0), (12, 12, 1.0), (5, 9, 0.7)]
CASES.append((3, 3, 0.8))


def integrated(k, n, power, alpha=0.05):
    """Posterior by Bayes' rule on a fine grid."""
    likelihood = stats.binom.pmf(k, n, alpha + (power - alpha) * GAMMA)
    return likelihood / trapezoid(likelihood, GAMMA)


@pytest.mark.parametrize(("k", "n", "power"), CASES)
def test_the_posterior_is_bayes_rule_on_the_binomial(k, n, power):
    found = Prevalence(k, n, 0.05, power)
    density = integrated(k, n, power)
    np.testing.assert_allclose(found.density(GAMMA), density, rtol=1e-6, atol=1e-9)
    assert found.map == pytest.approx(GAMMA[density.argmax()], abs=1e-5)
    upper = GAMMA >= 0.5
    assert found.above() == pytest.approx(trapezoid(density[upper], GAMMA[upper]), abs=1e-6)
    assert (found.density(np.array([-0.1, 1.1])) == 0).all()


@pytest.mark.parametrize(("k", "n", "power"), CASES)
def test_the_interval_holds_what_is_densest(k, n, power):
    """The set of greatest density of mass 0.95 on the grid."""
    density = integrated(k, n, power)
    order = np.argsort(-density, kind="stable")
    kept = order[np.cumsum(density[order]) * (GAMMA[1] - GAMMA[0]) <= 0.95]
    lo, hi = Prevalence(k, n, 0.05, power).interval()
    assert (lo, hi) == pytest.approx((GAMMA[kept].min(), GAMMA[kept].max()), abs=2e-4)


def test_fourteen_of_twenty():
    """MAP of Ince et al.: (k/n - alpha) / (1 - alpha); all of nobody is 0, of everybody 1."""
    assert Prevalence(14, 20, 0.05).map == pytest.approx((0.7 - 0.05) / 0.95)
    assert Prevalence(0, 20, 0.05).map == 0
    assert Prevalence(20, 20, 0.05).map == 1
    assert Prevalence(0, 0, 0.05).interval() == pytest.approx((0, 0.95), abs=0.06)
