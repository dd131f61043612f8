"""A run-off decides by scores between the points that seem best, and by nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.fit import choices, probes
from pipeline.fit.choices import only_rivals, rivals_of, with_scores
from pipeline.fit.cross_validation import make_solver
from pipeline.fit.guided import GuidedSearch
from pipeline.fit.probes import Chooser, Map, Stage
from tests.pipeline.fit.test_probes import COSTS, EACH, FOLDS, POINTS, at, guided, smooth


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_rivals_are_the_points_of_the_best_candidates(seed):
    shared = np.random.default_rng(seed).standard_normal((POINTS * EACH, 5))
    rivals = rivals_of(shared, POINTS)
    for v in range(5):
        points = list(dict.fromkeys(np.argsort(-shared[:, v]) // EACH))
        assert rivals[:, v].tolist() == points[: choices.RIVALS]
        kept = only_rivals(shared, rivals, POINTS)[:, v]
        inside = np.isin(np.arange(POINTS * EACH) // EACH, rivals[:, v])
        np.testing.assert_array_equal(kept[inside], shared[inside, v])
        assert np.isneginf(kept[~inside]).all()


def test_scores_are_put_where_a_voxels_rivals_are():
    rng = np.random.default_rng(0)
    every, true = rng.standard_normal((2, FOLDS, POINTS * EACH, 7))
    rivals = np.argsort(rng.random((POINTS, 7)), axis=0)[:2]
    scores = np.stack(
        [
            np.stack([at(true[..., [v]], [p])[..., 0] for v, p in enumerate(rival)], axis=-1)
            for rival in rivals
        ]
    )
    put = with_scores(every, rivals, scores, POINTS)
    for v in range(7):
        inside = np.isin(np.arange(POINTS * EACH) // EACH, rivals[:, v])
        np.testing.assert_array_equal(put[:, inside, v], true[:, inside, v])
        np.testing.assert_array_equal(put[:, ~inside, v], every[:, ~inside, v])


def test_where_interpolation_decides_by_chance_a_run_off_decides_right():
    scores = 0.3 + smooth(900)
    # What two points differ by is known there only: which is better is a matter of the voxel.
    own = 0.02 * np.random.default_rng(1).standard_normal(900)
    scores[:, :EACH] += 0.3 + own
    scores[:, -EACH:] = scores[:, :EACH] - 2 * own
    reference, others = scores[..., :300], scores[..., 300:]
    chooser = Chooser.of(reference, COSTS, probes.MANY).at_all_points()
    known = [3, 5, 8]
    stage = Stage(
        known, Map.learnt(reference, np.arange(POINTS * EACH).reshape(POINTS, EACH)[known].ravel())
    )
    rivals = chooser.rivals(stage, at(others, known))
    exact = others.reshape(FOLDS, POINTS, EACH, 600)[:, rivals, :, np.arange(600)]
    decided, r = chooser.decide(stage, at(others, known), rivals, exact.transpose(0, 2, 3, 1))
    mean, voxels = others.mean(axis=0), np.arange(600)
    np.testing.assert_allclose(r, mean[decided, voxels], atol=1e-12)
    wanted = chooser.best(chooser.plan.last, others)[0]
    guessed = chooser.best(stage, at(others, known))[0]
    changes = [np.abs(mean[found, voxels] - mean[wanted, voxels]) for found in (guessed, decided)]
    assert changes[0].mean() > 1e-3
    assert changes[1].mean() < 0.2 * changes[0].mean()


def test_with_few_rows_there_is_no_run_off():
    scores = smooth(300)
    few, many = (Chooser.of(scores, COSTS, n).plan for n in (probes.MANY - 1, probes.MANY))
    assert many.run_off and many.goes_on and not few.run_off
    assert few.cost < many.cost


@pytest.mark.parametrize("solver", ["gram", "kernel"])
def test_in_a_fit_the_run_off_has_the_scores_of_its_voxels(solver, few_are_enough, monkeypatch):
    seen = []
    decide = Chooser.decide
    monkeypatch.setattr(
        Chooser, "decide", lambda *given: (seen.append(given[1:]), decide(*given))[1]
    )
    regression = guided()
    own = make_solver(solver, regression)
    assert isinstance(own.guided, GuidedSearch)
    levels, r = own.guided.best(0)
    assert seen
    # By the plain search of the same voxels: r of what each chose.
    plain = own.guided.nested.run()
    chosen = [tuple(level) for level in levels[own.engine.split.wide].T]
    others = np.flatnonzero(own.guided.places < 0)
    known = {p: plain.on_folds(p)[0, 0].mean(axis=0) for p in {chosen[v] for v in others}}
    rows = {tuple(c): i for i, c in enumerate(plain.narrow)}
    narrow = [rows[tuple(level)] for level in levels[own.engine.split.narrow].T]
    looked = [v for v in others if r[v] > own.guided.guide.plan(0).gate]
    exact = np.array([known[chosen[v]][narrow[v], v] for v in looked])
    assert np.mean(np.abs(exact - r[looked]) < 1e-4) > 0.9
