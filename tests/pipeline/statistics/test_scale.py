"""Units mean nothing: data scaled by any factor give the same r, shares, partition and ceiling."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.series import pearson
from pipeline.fit.attribution import band_shares
from pipeline.statistics.blocks import swap_null
from pipeline.statistics.ceiling import explainable_variance, jackknife, r_over_ceiling
from pipeline.statistics.partition import block_errors
from pipeline.statistics.shifts import shifted_r
from tests.pipeline.statistics.test_ceiling import listen

N_ROWS, N_VOXELS = 300, 4
POWERS = st.integers(-12, 12)


def presentations():
    """Repeats of a story, (3, N_ROWS, N_VOXELS), and two bands' parts of a prediction of it."""
    rng = np.random.default_rng(0)
    repeats, signal = listen(rng, 0.5, 3, N_ROWS, N_VOXELS)
    parts = np.stack([0.6 * signal, 0.3 * rng.standard_normal(signal.shape)])
    return repeats, parts - parts.mean(axis=1, keepdims=True)


def scores(repeats, parts):
    """Everything that is said of a model, from responses and predictions of one story."""
    measured, predicted = repeats.mean(axis=0), parts.sum(axis=0)
    return {
        "r": pearson(predicted, measured),
        "shifts": shifted_r(predicted, measured)[:3],
        "contrast": swap_null([(predicted, parts[0], measured)], [np.eye(15)[1:]], 20)[0],
        "share": band_shares(parts, measured),
        "r2": 1 - block_errors(predicted, measured, 20).sum(axis=0),
        "ev": explainable_variance(repeats).value,
        "r_ceiling": jackknife(r_over_ceiling(predicted, measured, repeats)).value,
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(power=POWERS)
def test_scaled_data_have_the_same_scores(dtype, power):
    repeats, parts = presentations()
    expected = scores(repeats, parts)
    factor = 10.0**power
    found = scores((factor * repeats).astype(dtype), (factor * parts).astype(dtype))
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name], atol=2e-6, err_msg=name)


@given(power=POWERS)
def test_the_prediction_s_scale_alone_changes_no_correlation(power):
    repeats, parts = presentations()
    expected, found = scores(repeats, parts), scores(repeats, 10.0**power * parts)
    for name in ("r", "shifts", "contrast", "r_ceiling"):
        np.testing.assert_allclose(found[name], expected[name], atol=2e-6, err_msg=name)


def test_normal_rows_of_a_small_scale():
    """They had an r, but no shares and no partition, and were constant to the ceiling."""
    repeats, parts = presentations()
    found = scores(2e-8 * repeats, 2e-8 * parts)
    assert all(np.isfinite(values).all() for values in found.values())
    assert (found["r"] > 0.5).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(power=POWERS, digits=st.floats(1, 9.99))
def test_constant_responses_have_no_score_at_any_magnitude(dtype, power, digits):
    repeats, parts = presentations()
    repeats[:, :, 1] = digits * 10.0**power
    for name, values in scores(repeats.astype(dtype), parts.astype(dtype)).items():
        unknown = np.isnan(np.atleast_2d(values)).all(axis=0)
        assert unknown.tolist() == [False, True, False, False], name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(power=POWERS, digits=st.floats(1, 9.99))
def test_constant_predictions_have_an_r_of_0_at_any_magnitude(dtype, power, digits):
    repeats, _ = presentations()
    predicted = np.full((N_ROWS, N_VOXELS), digits * 10.0**power).astype(dtype)
    measured = repeats.mean(axis=0)
    assert (pearson(predicted, measured) == 0).all()
    assert np.abs(shifted_r(predicted, measured)).max() == 0
    assert (r_over_ceiling(predicted, measured, repeats)[0] == 0).all()
    np.testing.assert_allclose(block_errors(predicted, measured, 20).sum(axis=0), 1)
