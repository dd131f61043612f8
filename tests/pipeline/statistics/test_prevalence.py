"""The posterior of a prevalence, against numerical integration and the paper's numbers."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import trapezoid

from pipeline.core.series import pearson
from pipeline.statistics.prevalence import Prevalence, story_p

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


def test_a_subjects_own_test_is_students_over_stories():
    """With twice the variance of the mean of independent ones, and a spread over n - 2."""
    rng = np.random.default_rng(0)
    by_story = rng.normal(0.05, 0.1, (8, 4))
    by_story[2:4, 1] = np.nan
    by_story[1:, 2] = np.nan
    by_story[:, 3] = 0
    p = story_p(by_story)
    for unit in (0, 1):
        own = by_story[~np.isnan(by_story[:, unit]), unit]
        n = len(own)
        t = stats.ttest_1samp(own, 0).statistic * np.sqrt((n - 2) / (n - 1) / 2)
        assert p[unit] == pytest.approx(stats.t.sf(t, n - 1))
    assert np.isnan(p[2])
    assert p[3] == 1


@pytest.mark.parametrize(("n_stories", "n_folds"), [(8, 8), (8, 4), (3, 3)])
def test_of_noise_that_is_predicted_out_of_fold_one_in_twenty_passes(n_stories, n_folds):
    """Ridge of noise on noise: two stories share what is learned of one on the other."""
    rng = np.random.default_rng(0)
    n_units = 4000
    x, y = rng.standard_normal((n_stories, 40, 10)), rng.standard_normal((n_stories, 40, n_units))
    fold, r = np.arange(n_stories) % n_folds, np.empty((n_stories, n_units))
    for own in range(n_folds):
        others = fold != own
        design, target = x[others].reshape(-1, 10), y[others].reshape(-1, n_units)
        weights = np.linalg.solve(design.T @ design + 30 * np.eye(10), design.T @ target)
        for story in np.flatnonzero(~others):
            r[story] = pearson(x[story] @ weights, y[story])
    p = story_p(r)
    assert 0.035 < (p < 0.05).mean() < 0.065
