"""What counts as constant, at any magnitude and in both precisions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.series import centre, unit, varies, zscore

POWERS = st.integers(-12, 12)
PRECISIONS = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@PRECISIONS
@given(power=POWERS, sign=st.sampled_from([-1, 1]), digits=st.floats(1, 9.99))
def test_a_constant_column_of_any_magnitude_is_constant(dtype, power, sign, digits):
    """Its mean over many rows has rounding, its range has none."""
    values = np.full((301, 1), sign * digits * 10.0**power, dtype)
    assert not varies(values).any()
    for found in (centre(values), zscore(values), unit(values, 0)):
        assert (found == 0).all()
    for found in (zscore(values, np.nan), unit(values, np.nan)):
        assert np.isnan(found).all()


@PRECISIONS
@given(power=POWERS, seed=st.integers(0, 10**6))
def test_a_column_that_is_constant_but_for_rounding_is_constant(dtype, power, seed):
    """Each value stored in single precision, one step up or down."""
    rng = np.random.default_rng(seed)
    step = np.spacing(np.float32(10.0**power)) * rng.integers(-1, 2, (301, 1))
    assert not varies((np.float32(10.0**power) + step).astype(dtype)).any()


@PRECISIONS
@given(power=POWERS, offset=st.sampled_from([0, 1, -100]), seed=st.integers(0, 10**6))
def test_a_column_that_varies_does_so_however_small_it_is(dtype, power, offset, seed):
    noise = np.random.default_rng(seed).standard_normal((301, 2)) + offset
    values = (noise * 10.0**power).astype(dtype)
    assert varies(values).all()
    np.testing.assert_allclose(zscore(values).std(axis=0), 1, rtol=1e-6)
    np.testing.assert_allclose(np.square(unit(values, 0)).sum(axis=0), 1, rtol=1e-4)


def test_zeros_are_constant_and_what_is_not_finite_is_not():
    values = np.array([[0.0, np.nan, np.inf, np.inf], [0.0, 1.0, 1.0, np.inf]])
    assert varies(values).tolist() == [False, True, True, True]
