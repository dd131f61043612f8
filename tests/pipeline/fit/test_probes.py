"""Voxels scored at a few points choose what they would choose if they were scored at all."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.fit import probes
from pipeline.fit.choices import best_of, errors_of
from pipeline.fit.cross_validation import fit_block, make_solver
from pipeline.fit.pooling import pooled
from pipeline.fit.probes import Chooser, Map
from tests.pipeline.fit.test_fit import make_regression

FOLDS, POINTS, EACH = 4, 12, 3
MANY = probes.ROWS
COSTS = np.ones(POINTS)


def smooth(n_voxels, rank=3, noise=1e-4, seed=0):
    """Scores on folds, (fold, candidate, voxel), that a few numbers of each voxel give."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0, 1, POINTS * EACH)
    shapes = np.stack([np.cos(np.pi * k * x) / (1 + k) for k in range(rank)])
    parts = rng.standard_normal((n_voxels, rank)) + 0.2 * rng.standard_normal(
        (FOLDS, n_voxels, rank)
    )
    scores = np.einsum("fvk,kc->fcv", 0.1 * parts, shapes)
    return scores + noise * rng.standard_normal(scores.shape)


def at(scores, points):
    """The scores at some points."""
    return scores[:, np.concatenate([np.arange(p * EACH, (p + 1) * EACH) for p in points])]


def exact(scores, reference):
    """The choice of all voxels by all their scores."""
    return best_of(pooled(scores.mean(axis=0), errors_of(scores), reference))


def test_a_few_points_say_the_others():
    scores = smooth(600)
    chooser = Chooser.of(scores[..., :200], COSTS, MANY)
    assert len(chooser.plan.last.probes) <= 3
    filled = chooser.plan.last.every.filled(at(scores, chooser.plan.last.probes)[..., 200:])
    np.testing.assert_allclose(filled, scores[..., 200:], atol=5e-3)
    found, r = chooser.best(chooser.plan.last, at(scores, chooser.plan.last.probes)[..., 200:])
    chosen, mean = exact(scores, np.arange(200))[200:], scores.mean(axis=0)[:, 200:]
    assert (found == chosen).mean() > 0.9
    voxels = np.arange(400)
    change = np.abs(mean[found, voxels] - mean[chosen, voxels])
    assert np.quantile(change, 0.99) <= 2 * probes.ERROR
    np.testing.assert_allclose(r, mean[found, voxels], atol=2e-3)


def test_where_nothing_says_the_others_all_are_probes_and_choices_are_exact():
    rng = np.random.default_rng(0)
    own = 0.1 * rng.standard_normal((POINTS * EACH, 300))
    scores = own + 1e-3 * rng.standard_normal((FOLDS, POINTS * EACH, 300))
    chooser = Chooser.of(scores[..., :150], COSTS, MANY)
    assert chooser.plan.last.probes == list(range(POINTS))
    found, _ = chooser.best(chooser.plan.last, scores[..., 150:])
    np.testing.assert_array_equal(found, exact(scores, np.arange(150))[150:])


def test_voxels_that_nothing_predicts_are_scored_at_fewer_points():
    scores = 0.5 + smooth(600, rank=6)
    faint = np.arange(600) % 3 > 0
    scores[..., faint] = 0.005 * smooth(600, rank=6, noise=1e-3, seed=1)[..., faint]
    chooser = Chooser.of(scores[..., :300], COSTS, MANY)
    assert set(chooser.plan.first.probes) < set(chooser.plan.last.probes)
    found, r = chooser.best(chooser.plan.first, at(scores, chooser.plan.first.probes)[..., 300:])
    further, _ = chooser.best(chooser.plan.last, at(scores, chooser.plan.last.probes)[..., 300:])
    assert np.mean((r > probes.FAINT) == ~faint[300:]) > 0.98
    found = np.where(r > chooser.plan.gate, further, found)
    chosen, mean = exact(scores, np.arange(300))[300:], scores.mean(axis=0)[:, 300:]
    change = mean[found, np.arange(300)] - mean[chosen, np.arange(300)]
    assert np.quantile(np.abs(change[~faint[300:]]), 0.99) <= 2 * probes.ERROR
    assert abs(change[faint[300:]].mean()) <= 2 * probes.SHIFT


def test_few_reference_voxels_do_not_say_which_points_are_enough():
    scores = smooth(300)
    assert Chooser.of(scores[..., : probes.ENOUGH - 1], COSTS, MANY).plan.last.every is None
    assert Chooser.of(scores[..., : probes.ENOUGH], COSTS, MANY).plan.last.every is not None


def test_few_rows_do_not_say_either():
    scores = smooth(300)
    assert Chooser.of(scores, COSTS, MANY - 1).plan.last.every is None
    assert Chooser.of(scores, COSTS, MANY).plan.last.every is not None


def test_of_points_that_say_the_same_the_cheap_ones_are_probes():
    scores = smooth(300, rank=1)
    costs = np.where(np.arange(POINTS) == 5, 1.0, 10.0)
    assert Chooser.of(scores, costs, MANY).plan.last.probes == [5]


def test_the_map_is_that_of_least_squares():
    scores, known = smooth(200, noise=0.01), np.array([0, 7, 20])
    samples = scores.transpose(1, 0, 2).reshape(POINTS * EACH, -1)
    design = np.vstack([samples[known], np.ones(samples.shape[1])])
    weights = np.linalg.lstsq(design.T, samples.T, rcond=None)[0]
    found = Map.learnt(scores, known)
    np.testing.assert_allclose(found.weights, weights[:-1], atol=0.02)
    np.testing.assert_array_equal(found.filled(scores[:, known])[:, known], scores[:, known])


@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(["constant", "zero", "tiny", "equal points", "one voxel's"]),
)
@settings(max_examples=25, deadline=None)
def test_hard_scores_still_give_choices(seed, kind):
    scores = smooth(150, seed=seed)
    scores = {
        "constant": np.full_like(scores, 0.3),
        "zero": np.zeros_like(scores),
        "tiny": 1e-9 * scores,
        "equal points": np.repeat(scores[:, :EACH], POINTS, axis=1),
        "one voxel's": np.repeat(scores[..., :1], 150, axis=2),
    }[kind]
    chooser = Chooser.of(scores, COSTS, MANY)
    found, r = chooser.best(chooser.plan.last, at(scores, chooser.plan.last.probes))
    assert np.isfinite(r).all()
    chosen = exact(scores, np.arange(150))
    voxels = np.arange(150)
    mean = scores.mean(axis=0)
    change = np.abs(mean[found, voxels] - mean[chosen, voxels])
    assert np.quantile(change, 0.98) <= 2 * probes.ERROR


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_other_voxels_change_nothing(seed):
    scores = smooth(160, seed=seed)
    chooser = Chooser.of(scores[..., :120], COSTS, MANY)
    found, r = chooser.best(chooser.plan.last, at(scores, chooser.plan.last.probes)[..., 120:])
    v = seed % 40
    alone = chooser.best(
        chooser.plan.last, at(scores, chooser.plan.last.probes)[..., 120 + v : 121 + v]
    )
    assert alone[0][0] == found[v]
    assert alone[1][0] == pytest.approx(r[v], abs=1e-12)


def guided(n_reference=40, **options):
    """A regression of which some voxels are reference voxels, of real shapes of scores."""
    regression = make_regression((70, 90, 3), n_voxels=3 * n_reference, n_rows=60, **options)
    return dataclasses.replace(regression, reference=np.arange(0, 3 * n_reference, 3))


@pytest.mark.parametrize("solver", ["gram", "kernel"])
def test_fits_at_probes_are_nearly_those_at_all_points(solver, few_are_enough, monkeypatch):
    regression = guided()
    own = make_solver(solver, regression)
    found = fit_block(regression, own)
    guide, searches = own.guided.guide, range(regression.n_folds + 1)
    used = sum(len(guide.plan(k).last.probes) for k in searches)
    assert used < sum(len(guide.found(k).points) for k in searches)
    monkeypatch.setattr(probes, "ENOUGH", np.inf)
    plain = fit_block(regression, make_solver(solver, regression))
    reference = regression.reference
    np.testing.assert_array_equal(found.r_train[:, reference], plain.r_train[:, reference])
    change = np.abs(found.r_train.mean(axis=0) - plain.r_train.mean(axis=0))
    assert abs((found.r_train - plain.r_train).mean()) < 0.005
    assert np.quantile(change, 0.9) < 0.03


@pytest.mark.parametrize("solver", ["gram", "kernel"])
def test_probes_know_nothing_of_the_fold_left_out(solver, few_are_enough):
    regression = guided()
    before = make_solver(solver, regression).fit(0)
    rng = np.random.default_rng(9)
    changed = {
        s: r if regression.folds[s] else rng.standard_normal(r.shape).astype(np.float32)
        for s, r in regression.responses.items()
    }
    own = make_solver(solver, dataclasses.replace(regression, responses=changed))
    after = own.fit(0)
    guide = own.guided.guide
    assert len(guide.plan(0).last.probes) < len(guide.found(0).points)
    np.testing.assert_allclose(after.weights, before.weights, atol=1e-5)
    np.testing.assert_array_equal(after.alpha, before.alpha)


@given(seed=st.integers(0, 2**32 - 1), flips=st.floats(0.1, 1), n_folds=st.integers(3, 8))
@settings(max_examples=10, deadline=None)
def test_what_other_choices_do_on_folds_unknown_is_told_by_the_known(seed, flips, n_folds):
    """Searches that leave a fold out choose otherwise now and then, by chance as good."""
    rng, n_voxels = np.random.default_rng(seed), 20_000
    out_of_fold, told = np.zeros(n_voxels), []
    for _ in range(n_folds):
        other = rng.random(n_voxels) < flips
        change = 0.01 * rng.standard_normal((n_folds, n_voxels)) * other
        out_of_fold += change[0] / n_folds
        told.append(probes.typical(change[1:]))
    assert np.mean(told) == pytest.approx(np.sqrt(np.mean(out_of_fold**2)), rel=0.15)


def test_where_probes_save_too_little_all_points_are_probes():
    """Where nearly all voxels are predicted and need half of the points, and hints do not help."""
    scores = 0.3 + smooth(300, rank=7, noise=1e-3)
    own = 0.02 * np.random.default_rng(0).standard_normal((POINTS * EACH // 2, 300))
    scores[:, : len(own)] += own
    chooser = Chooser.of(scores, COSTS, probes.FULL)
    assert chooser.plan.first is chooser.plan.last
    assert chooser.plan.last.every is None
