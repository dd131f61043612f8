import numpy as np
import pytest
from scipy import stats

from pipeline.core.interval import CONFIDENCE, interval, reach


@pytest.mark.parametrize("n", [2, 3, 20])
def test_the_interval_is_student_s(n):
    values = np.random.default_rng(n).standard_normal(n) + 1
    mean, low, high = interval(values)
    expected = stats.ttest_1samp(values, 0).confidence_interval(CONFIDENCE)
    assert mean == pytest.approx(values.mean())
    assert (low, high) == pytest.approx(expected)
    assert reach(n) == pytest.approx((high - mean) / stats.sem(values))
