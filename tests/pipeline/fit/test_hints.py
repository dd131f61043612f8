"""Hints say what scores are, but for the variance that predictions have on other rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.fit import probes
from pipeline.fit.choices import best_of
from pipeline.fit.cross_validation import make_engine
from pipeline.fit.guided import hints_of
from pipeline.fit.probes import Chooser, Map
from tests.pipeline.fit.test_fit import make_regression, stack
from tests.pipeline.fit.test_probes import COSTS, EACH, FOLDS, MANY, POINTS, at, exact, smooth

OUT, FOLD = (0, 1), 1


def solved_by(n_columns, alphas, solver="gram"):
    """A regression, a solution of it without two folds, weights of its narrow columns, and all."""
    regression = make_regression(n_columns)
    engine = make_engine(solver, regression)
    wide, narrow = engine.split.wide, engine.split.narrow
    solved = engine.mixed(np.array(alphas, float)[wide]).solve(OUT, np.arange(7))
    u = solved.remainder.solve(np.array(alphas, float)[narrow], slice(None))
    return regression, solved, u, solved.weights(u)[0]


@settings(max_examples=12, deadline=None)
@given(
    n_columns=st.sampled_from([(4, 6), (60, 80), (40, 3), (40, 3, 2), (40, 50, 3)]),
    levels=st.lists(st.integers(-1, 4), min_size=3, max_size=3),
    without=st.booleans(),
)
def test_a_hint_is_r_with_the_variance_over_the_training_rows(n_columns, levels, without):
    alphas = [10.0**level for level in levels[: len(n_columns)]]
    if without and min(n_columns[:2]) > 32:  # two wide bands, of which one is left out
        alphas[0] = np.inf
    regression, solved, u, weights = solved_by(n_columns, alphas)
    inside = [s for s, fold in regression.folds.items() if fold == FOLD]
    outside = [s for s, fold in regression.folds.items() if fold not in OUT]
    x, y = stack(regression, inside)
    predicted, trained = x @ weights, stack(regression, outside)[0] @ weights
    apart = (predicted - predicted.mean(axis=0), y - y.mean(axis=0))
    expected = np.mean(apart[0] * apart[1], axis=0) / (trained.std(axis=0) * y.std(axis=0))
    np.testing.assert_allclose(solved.hinted(FOLD).r(u), expected, atol=2e-4)


def test_kernels_hints_are_scores():
    _, solved, u, _ = solved_by((60, 80), (10, 100), "kernel")
    np.testing.assert_array_equal(solved.hinted(FOLD).r(u), solved.left_out(FOLD).r(u))


def hinted(scores, noise=0.0, seed=1):
    """Hints: scores of a smaller scale that is nearly the same for all, and noise."""
    rng = np.random.default_rng(seed)
    scale = 0.7 + 0.02 * rng.standard_normal((FOLDS, 1, scores.shape[2]))
    return scale * scores + noise * rng.standard_normal(scores.shape)


def test_hints_are_enough_where_scores_follow_from_them():
    scores = smooth(600)
    hints = hinted(scores)
    chooser = Chooser.of(scores[..., :200], COSTS, MANY, hints[..., :200])
    assert not chooser.plan.first.exact
    assert not chooser.plan.last.exact
    assert len(chooser.plan.last.probes) <= 6
    found, r = chooser.best(chooser.plan.last, at(hints, chooser.plan.last.probes)[..., 200:])
    chosen, mean = exact(scores, np.arange(200))[200:], scores.mean(axis=0)[:, 200:]
    voxels = np.arange(400)
    change = np.abs(mean[found, voxels] - mean[chosen, voxels])
    assert np.quantile(change, 0.99) <= 2 * probes.ERROR
    assert np.abs(r - mean[found, voxels]).mean() < 0.01


def test_where_hints_say_nothing_scores_do():
    scores = smooth(300)
    hints = hinted(scores, noise=0.3)
    chooser = Chooser.of(scores, COSTS, MANY, hints)
    assert chooser.plan.last.exact
    assert len(chooser.plan.last.probes) < POINTS
    found, _ = chooser.best(chooser.plan.last, at(scores, chooser.plan.last.probes))
    chosen, mean = exact(scores, np.arange(300)), scores.mean(axis=0)
    change = np.abs(mean[found, np.arange(300)] - mean[chosen, np.arange(300)])
    assert np.quantile(change, 0.99) <= 2 * probes.ERROR


def test_voxels_near_the_bound_are_not_taken_for_faint():
    """Hints say little of voxels around `FAINT`: what is then looked at again includes them."""
    scores = probes.FAINT + 0.01 + 0.05 * smooth(600, rank=6)
    faint = np.arange(600) % 2 > 0
    scores[..., faint] = 0.005 * smooth(600, rank=6, seed=1)[..., faint]
    chooser = Chooser.of(scores, COSTS, MANY, hinted(scores, noise=0.005))
    predicted = best_r(scores) > probes.FAINT
    assert chooser.plan.gate < probes.FAINT
    hints = hinted(scores, noise=0.005)
    _, r = chooser.best(chooser.plan.first, at(hints, chooser.plan.first.probes))
    assert np.mean(r[predicted] <= chooser.plan.gate) <= 2 * probes.MISSED


def best_r(scores):
    """Mean r of what is best for each voxel."""
    mean = scores.mean(axis=0)
    return mean[best_of(mean), np.arange(mean.shape[1])]


def test_the_map_from_hints_is_that_of_least_squares():
    scores, known = smooth(200, noise=0.01), np.array([0, 7, 20])
    hints = hinted(scores, noise=0.01)
    found = Map.learnt(scores, known, hints)
    given = hints[:, known].transpose(1, 0, 2).reshape(3, -1)
    design = np.vstack([given, np.ones(given.shape[1])])
    samples = scores.transpose(1, 0, 2).reshape(POINTS * EACH, -1)
    weights = np.linalg.lstsq(design.T, samples.T, rcond=None)[0]
    np.testing.assert_allclose(found.weights, weights[:-1], atol=0.02)
    assert not np.array_equal(found.filled(hints[:, known])[:, known], hints[:, known])


@pytest.mark.parametrize("n_folds", [3, 5])
def test_the_search_over_all_folds_has_what_models_without_two_folds_say(n_folds):
    nested = np.empty((n_folds, n_folds - 1))
    for a in range(n_folds):  # of search a on fold b: 10 a + b
        nested[a] = [10 * a + b for b in range(n_folds) if b != a]
    for k in range(n_folds):
        np.testing.assert_array_equal(hints_of(nested, k), nested[k])
    expected = [np.mean([10 * a + b for a in range(n_folds) if a != b]) for b in range(n_folds)]
    np.testing.assert_allclose(hints_of(nested, n_folds), expected)
