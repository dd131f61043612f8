import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr

from pipeline.core.series import pearson, top_voxels


@given(st.integers(3, 40), st.integers(0, 10**6))
def test_pearson_equals_scipy(n_rows, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, n_rows, 4)) * 10 ** rng.uniform(-3, 3, (2, 1, 4)) + 3
    expected = [pearsonr(a[:, v], b[:, v]).statistic for v in range(4)]
    np.testing.assert_allclose(pearson(a, b), expected, atol=1e-9)


def test_it_is_a_correlation_and_not_a_signed_root_of_r2():
    """The authors' file held sign(R2) sqrt|R2| (error 9), which scaling the prediction changes."""
    rng = np.random.default_rng(0)
    measured = rng.standard_normal((200, 3))
    predicted = measured + rng.standard_normal((200, 3))
    np.testing.assert_allclose(pearson(7 * predicted + 2, measured), pearson(predicted, measured))
    r2 = 1 - ((measured - 7 * predicted) ** 2).sum(0) / ((measured - measured.mean(0)) ** 2).sum(0)
    assert (np.sign(r2) < 0).all()
    assert (pearson(7 * predicted, measured) > 0.5).all()


def test_a_constant_response_has_no_correlation_and_a_constant_prediction_none_either():
    x = np.random.default_rng(0).standard_normal((30, 3)).astype(np.float32)
    response, prediction = x.copy(), x.copy()
    response[:, 0] = 0.3
    prediction[:, 1] = 0.3
    r = pearson(prediction, response)
    assert np.isnan(r[0])
    assert r[1] == 0
    assert r[2] == pytest.approx(1)


def test_top_voxels_take_the_ceiling_and_leave_nan_out():
    scores = np.r_[0.1, np.nan, 0.5, 0.3, 0.5, -1, np.zeros(96)]  # 101 numbers
    assert top_voxels(scores).tolist() == [2, 4, 3, 0, *range(6, 13)]
    assert top_voxels(scores, 0.01).tolist() == [2, 4]
    assert top_voxels(scores[:-2]).tolist() == []  # 99
