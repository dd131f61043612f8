"""Hard designs, against plain double precision: the right result or a clear error."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import ProblemError
from pipeline.core.series import pearson, zscore
from pipeline.fit.cross_validation import fit_block, make_solver
from pipeline.fit.design import Band, Design
from pipeline.fit.linalg import Processor, Torch
from tests.pipeline.fit.test_fit import (
    by_scikit_learn,
    make_regression,
    score_by_scikit_learn,
    stack,
)


def hard_problem(kind):
    """A regression whose second band is `kind`."""
    regression = make_regression((30, 12) if kind != "wide" else (300, 200), n_rows=40)
    first, second = regression.design.bands
    rng = np.random.default_rng(0)
    changed = {}
    for story, values in second.values.items():
        other = first.values[story][:, : values.shape[1]]
        changed[story] = {
            "collinear": lambda v, o=other: o + 1e-4 * rng.standard_normal(v.shape),
            "constant": lambda v: zscore(np.where(np.arange(v.shape[1]) % 2, v, 7.0)),
            "all constant": lambda v: np.zeros_like(v),
            "large": lambda v: 1e3 * v,
            "small": lambda v: 1e-3 * v,
            "wide": lambda v: v,
        }[kind](values).astype(np.float32)
    bands = (first, Band(second.name, changed, second.delays, second.weights))
    return dataclasses.replace(regression, design=Design(bands))


KINDS = ["collinear", "constant", "all constant", "large", "small", "wide"]


@pytest.mark.parametrize("solver", ["gram", "kernel"])
@pytest.mark.parametrize("kind", KINDS)
def test_hard_designs_equal_double_precision(solver, kind):
    regression = hard_problem(kind)
    fit = fit_block(regression, make_solver(solver, regression))
    X, _ = stack(regression, regression.stories())
    predicted = fit.final.predict(X.astype(np.float32))
    for v in range(regression.n_voxels):
        alphas = fit.final.alpha[:, v]
        reference, factor = by_scikit_learn(regression, regression.stories(), alphas)
        expected = reference.predict(X * factor)[:, v]
        assert pearson(predicted[:, [v]], expected[:, None]) > 1 - 1e-6
        np.testing.assert_allclose(predicted[:, v], expected, atol=2e-3 * np.abs(expected).max())
        expected = score_by_scikit_learn(regression, regression.stories(), alphas)[v]
        assert fit.final.score[v] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("solver", ["gram", "kernel"])
@pytest.mark.parametrize("factor", [1e-12, 1e-8, 1e8])
@pytest.mark.parametrize("n_columns", [(20, 12), (60, 2)], ids=["wide", "narrow"])
def test_the_unit_of_the_responses_changes_no_score_and_no_alpha(solver, factor, n_columns):
    regression = make_regression(n_columns)
    scaled = {s: (factor * y).astype(np.float32) for s, y in regression.responses.items()}
    other = dataclasses.replace(regression, responses=scaled)
    expected = fit_block(regression, make_solver(solver, regression))
    found = fit_block(other, make_solver(solver, other))
    np.testing.assert_allclose(found.r_train, expected.r_train, atol=1e-4)
    np.testing.assert_allclose(found.final.score, expected.final.score, atol=1e-4)
    np.testing.assert_array_equal(found.final.alpha, expected.final.alpha)


def test_single_precision_is_left_where_it_is_not_safe(monkeypatch):
    """Nearly collinear wide bands and a small alpha: as in double precision all the same."""
    regression = make_regression((300, 300), n_rows=400, noise=0.5)
    first, second = regression.design.bands
    rng = np.random.default_rng(0)
    near = {
        s: (v + 1e-4 * rng.standard_normal(v.shape)).astype(np.float32)
        for s, v in first.values.items()
    }
    bands = (first, Band(second.name, near, second.delays, second.weights))
    regression = dataclasses.replace(
        regression, design=Design(bands), alphas=np.array([1e-3]), refinements=0
    )
    for solver in ("gram", "kernel"):
        found = make_solver(solver, regression).fit(None)
        reference, factor = by_scikit_learn(regression, regression.stories(), [1e-3, 1e-3])
        X, _ = stack(regression, regression.stories())
        expected = reference.predict(X * factor)
        predicted = found.predict(X.astype(np.float32))
        np.testing.assert_allclose(predicted, expected, atol=2e-3 * np.abs(expected).max())


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.tuples(st.integers(1, 40), st.integers(1, 6)),
    kind=st.sampled_from(["random", "collinear", "constant", "tiny"]),
    double=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_the_algebra_in_place_equals_the_plain_one(seed, size, kind, double):
    (n, n_voxels), rng = size, np.random.default_rng(seed)
    x = rng.standard_normal((50, n))
    x = {
        "random": x,
        "collinear": x[:, [0] * n] + 1e-3 * x,
        "constant": np.where(np.arange(n) % 2, x, 0.0),
        "tiny": 1e-6 * x,
    }[kind]
    scale = np.square(x).sum() or 1.0
    matrix, penalty = x.T @ x, np.full(n, scale * 0.1)
    rhs = scale * rng.standard_normal((n, n_voxels))
    expected = np.linalg.solve(matrix + np.diag(penalty), rhs)
    there, precision = Processor(), np.float64 if double else np.float32
    joined = there.join(rhs[:, :1].astype(precision), rhs[:, 1:].astype(precision))
    np.testing.assert_array_equal(joined, rhs.astype(precision))
    found = there.solve(matrix.astype(precision), penalty, joined)
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())
    single = matrix.astype(np.float32)
    vectors = expected.astype(np.float32)
    quadratic = np.einsum("ij,ik,kj->j", expected, matrix, expected)
    bound = 1e-4 * scale * np.square(expected).sum(axis=0).max()
    np.testing.assert_allclose(there.quadratic(single, vectors), quadratic, atol=bound)
    np.testing.assert_array_equal(single, matrix.astype(np.float32))  # as it was
    products = there.products(vectors, np.asfortranarray(vectors[::-1]))
    np.testing.assert_allclose(
        products, (expected * expected[::-1]).sum(axis=0), atol=bound / scale
    )


def test_an_alpha_below_rounding_is_a_clear_error():
    column = np.random.default_rng(0).standard_normal((50, 1)) * 1e6
    collinear = np.repeat(column, 30, axis=1)
    with pytest.raises(ProblemError, match=r"fit\.alphas\.min.*collinear"):
        Processor().solve(collinear.T @ collinear, np.full(30, 1e-9), np.ones((30, 1)))


@pytest.mark.parametrize("solver", ["gram", "kernel"])
def test_the_gpu_code_gives_what_the_processors_gives(solver, monkeypatch):
    """PyTorch's own processor device stands in for the GPU."""
    regression = make_regression((20, 30), n_voxels=12)
    here = fit_block(regression, make_solver(solver, regression))
    monkeypatch.setattr("pipeline.fit.cross_validation.backend", lambda device: Torch("cpu"))
    there = fit_block(regression, make_solver(solver, regression, "cuda"))
    np.testing.assert_allclose(there.r_train, here.r_train, atol=1e-5)
    np.testing.assert_allclose(there.final.weights, here.final.weights, atol=1e-5)
    np.testing.assert_array_equal(there.final.alpha, here.final.alpha)


def test_a_device_that_is_not_there_is_a_clear_error():
    with pytest.raises(ProblemError, match=r"fit\.device"):
        Torch("nonsense")
