import numpy as np
import pytest
from scipy import stats

from pipeline.core.interval import CONFIDENCE, interval, reach, story_mean
from tests.helpers.intervals import over_stories


@pytest.mark.parametrize("n", [2, 3, 20])
def test_the_interval_is_student_s(n):
    values = np.random.default_rng(n).standard_normal(n) + 1
    mean, low, high = interval(values)
    expected = stats.ttest_1samp(values, 0).confidence_interval(CONFIDENCE)
    assert mean == pytest.approx(values.mean())
    assert (low, high) == pytest.approx(expected)
    assert reach(n) == pytest.approx((high - mean) / stats.sem(values))


def test_over_stories_it_is_student_s_with_twice_the_variance():
    """And a spread over n - 2; of the stories that are known, three at least."""
    by_story = np.random.default_rng(0).normal(0.05, 0.1, (8, 5))
    by_story[2:4, 1] = np.nan
    by_story[2:, 2] = np.nan
    by_story[:, 3] = np.nan
    by_story[:, 4] = 0
    found = story_mean(by_story)
    for unit in (0, 1):
        own = by_story[~np.isnan(by_story[:, unit]), unit]
        assert found.mean[unit] == pytest.approx(own.mean())
        low, high, p = over_stories(own)
        assert (found.lo[unit], found.hi[unit], found.p[unit]) == pytest.approx((low, high, p))
    assert found.mean[2] == pytest.approx(by_story[:2, 2].mean())
    assert np.isnan([found.lo[2], found.hi[2], found.p[2], found.mean[3], found.p[3]]).all()
    assert found.p[4] == 1
    assert story_mean(by_story[:, 0]).interval == (found.mean[0], found.lo[0], found.hi[0])


def test_of_equal_stories_it_is_a_point():
    assert story_mean(np.full(5, 0.1)).interval == pytest.approx((0.1, 0.1, 0.1))


def out_of_fold_r(n_stories, n_folds, n_units, rng):
    """Of noise that is predicted from noise by ridge regression, (n_stories, n_units)."""
    x, y = rng.standard_normal((n_stories, 40, 10)), rng.standard_normal((n_stories, 40, n_units))
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    xx, xy = (x.swapaxes(1, 2) @ of for of in (x, y))
    fold = np.arange(n_stories) % n_folds
    each = [
        np.linalg.solve(xx[fold != f].sum(axis=0) + 30 * np.eye(10), xy[fold != f].sum(axis=0))
        for f in range(n_folds)
    ]
    weights = np.array(each)[fold]
    size = np.sqrt((weights * (xx @ weights)).sum(axis=1) * (y**2).sum(axis=1))
    return (weights * xy).sum(axis=1) / size


@pytest.mark.parametrize(("n_stories", "n_folds"), [(3, 3), (8, 8), (8, 5), (26, 5), (93, 5)])
def test_of_noise_that_is_predicted_out_of_fold_one_in_twenty_passes(n_stories, n_folds):
    """Two stories share what is learned of one on the other, however many folds there are."""
    rng = np.random.default_rng(0)
    r = np.hstack([out_of_fold_r(n_stories, n_folds, 200, rng) for _ in range(20)])
    found = story_mean(r)
    holds_0 = (found.lo <= 0) & (found.hi >= 0)
    assert 0.935 < holds_0.mean() < 0.965
    assert 0.035 < (found.p < 0.05).mean() < 0.065
    independent = np.array([interval(unit) for unit in r.T[:1000]])
    assert ((independent[:, 1] > 0) | (independent[:, 2] < 0)).mean() > 0.1
