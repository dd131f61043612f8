"""Sums of products of delayed bands, from their lags, against the products themselves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import ProblemError
from pipeline.fit.design import Band
from pipeline.fit.grams import gram_of, make_grams, pair_of

DELAYS = st.lists(st.integers(0, 6), min_size=1, max_size=4, unique=True)
KINDS = ["noise", "constant", "tiny", "large", "collinear"]


def make_band(name, kind, n_rows, delays, seed):
    """A band of three columns, each delay with a weight of its own."""
    rng = np.random.default_rng(seed)
    factor = {"tiny": 1e-12, "large": 1e9}.get(kind, 1)
    values = {s: factor * rng.standard_normal((n, 3)) for s, n in n_rows.items()}
    for own in values.values():
        if kind == "constant":
            own[:, 1] = 7
        elif kind == "collinear":
            own[:, 1] = 2 * own[:, 0]
    weights = rng.random(len(delays)).astype(np.float32).tolist()
    return Band(name, {s: v.astype(np.float32) for s, v in values.items()}, delays, weights)


def plain(a, b, folds):
    """Rows of the design, multiplied."""
    sums = np.zeros((max(folds.values()) + 1, a.n_columns, b.n_columns))
    for story, fold in folds.items():
        sums[fold] += a.rows(story).astype(np.float64).T @ b.rows(story).astype(np.float64)
    return sums


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 9), min_size=3, max_size=5),
    st.tuples(DELAYS, DELAYS),
    st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS)),
    st.integers(0, 2**32 - 1),
)
def test_lags_give_the_products_of_the_rows(rows, delays, kinds, seed):
    """Also of stories shorter than the delays."""
    n_rows = {f"s{i}": n for i, n in enumerate(rows)}
    folds = {s: i % 2 for i, s in enumerate(n_rows)}
    a, b = (make_band(*given, seed + i) for i, given in enumerate(
        ((name, kind, n_rows, d) for name, kind, d in zip("ab", kinds, delays, strict=True))
    ))  # fmt: skip
    for one, other in ((a, b), (b, a), (a, a)):
        expected = plain(one, other, folds)
        # Rows are rounded to single precision, their products are not.
        np.testing.assert_allclose(
            gram_of(one, other, folds), expected, rtol=0, atol=1e-6 * np.abs(expected).max()
        )


def test_a_pair_is_found_in_either_order_and_of_the_right_bands():
    n_rows = {"s0": 9, "s1": 8}
    a, b = (make_band(name, "noise", n_rows, d, 0) for name, d in (("a", [1, 2]), ("b", [0])))
    folds = {"s0": 0, "s1": 1}
    grams = make_grams([a, b], folds)
    np.testing.assert_allclose(pair_of(grams, b, a), gram_of(b, a, folds))
    other = make_band("b", "noise", n_rows, [0, 1], 0)
    with pytest.raises(ProblemError, match="no Gram matrix of a and b with the bands' columns"):
        pair_of(grams, a, other)
