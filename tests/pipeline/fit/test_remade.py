"""Designs that differ with the folds left out: every choice is made on those that belong to it."""

from collections import Counter
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from pipeline.core.errors import ProblemError
from pipeline.core.series import pearson
from pipeline.fit import grams, remade_engine
from pipeline.fit.cross_validation import fit_block, make_solver
from pipeline.fit.design import Design
from tests.pipeline.fit.test_fit import by_scikit_learn, make_regression, stack

OUTS = [(), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2)]


def remade_regression(n_columns=(40, 3)):
    """The second band is another one whenever other folds are left out."""
    regression = replace(make_regression(n_columns, n_voxels=4), alphas=np.logspace(0, 2, 3))
    fixed, band = regression.design.bands
    rng = np.random.default_rng(5)
    noise = {
        out: {s: v + 0.7 * rng.standard_normal(v.shape).astype(np.float32)
              for s, v in band.values.items()}
        for out in OUTS
    }  # fmt: skip
    own = replace(
        band,
        values=noise[()],
        remade=lambda out: replace(band, values=noise[out]),
        folds=regression.folds,
    )
    return replace(regression, design=Design((fixed, own)))


def at(regression, out):
    """The regression with the design that belongs to the folds left out."""
    return replace(regression, design=regression.design.without(out))


def score(regression, out, fold, alphas):
    """r on a fold of the model that lacks the folds `out`, with their design."""
    own = at(regression, out)
    known = [s for s, f in regression.folds.items() if f not in out]
    model, factor = by_scikit_learn(own, known, alphas)
    X, Y = stack(own, [s for s, f in regression.folds.items() if f == fold])
    return pearson(model.predict(X * factor), Y)


@pytest.mark.parametrize("solver", ["gram", "kernel"])
@pytest.mark.parametrize("n_columns", [(40, 3), (40, 36), (3, 40)], ids=str)
def test_scores_and_weights_are_those_of_the_designs_of_their_folds(solver, n_columns):
    """Narrow or wide, beside a narrow band or a wide one."""
    regression = remade_regression(n_columns)
    own = make_solver(solver, regression)
    for exclude in (None, 1):
        model = own.fit(exclude)
        out = () if exclude is None else (exclude,)
        inner = [f for f in range(3) if f not in out]
        for v in range(4):
            alphas = model.alpha[:, v]
            pairs = [tuple(sorted((*out, f))) for f in inner]
            scores = [
                score(regression, pair, f, alphas)[v] for pair, f in zip(pairs, inner, strict=True)
            ]
            assert model.score[v] == pytest.approx(np.mean(scores), abs=1e-4)
            stories = regression.stories(exclude)
            reference, factor = by_scikit_learn(at(regression, out), stories, alphas)
            np.testing.assert_allclose(model.weights[:, v], reference.coef_[v] * factor, atol=3e-4)


@pytest.mark.parametrize("solver", ["gram", "kernel"])
def test_folds_are_predicted_with_the_design_that_lacks_them(solver):
    regression = remade_regression()
    own = make_solver(solver, regression)
    fit = fit_block(regression, own)
    for k, (story, fold) in enumerate(regression.folds.items()):
        rows = regression.design.without((fold,)).rows(story)
        expected = pearson(own.fit(fold).predict(rows), regression.responses[story])
        np.testing.assert_allclose(fit.r_train[k], expected, atol=1e-5)


def test_a_band_that_never_differs_changes_nothing():
    regression = replace(make_regression((40, 3), n_voxels=4), alphas=np.logspace(0, 2, 3))
    fixed, band = regression.design.bands
    same = replace(band, remade=lambda out: band, folds=regression.folds)
    plain = fit_block(regression, make_solver("gram", regression))
    again = replace(regression, design=Design((fixed, same)))
    found = fit_block(again, make_solver("gram", again))
    np.testing.assert_allclose(found.r_train, plain.r_train, atol=1e-4)
    np.testing.assert_array_equal(found.final.alpha, plain.final.alpha)


def test_what_does_not_differ_is_summed_once_for_all_sets_of_folds_and_blocks(monkeypatch):
    made = []
    plain = grams.gram_of
    for module in (grams, remade_engine):
        monkeypatch.setattr(
            module,
            "gram_of",
            lambda a, b, folds: made.append((a.name, b.name)) or plain(a, b, folds),
        )
    regression = remade_regression((40, 36))
    shared = grams.DesignGrams.of(regression.design, regression.folds)
    blocks = [fit_block(regression, make_solver("gram", regression, grams=shared)) for _ in "ab"]
    np.testing.assert_array_equal(blocks[0].r_train, blocks[1].r_train)
    assert Counter(made) == {("b0", "b0"): 1, ("b0", "b1"): len(OUTS), ("b1", "b1"): len(OUTS)}


def test_what_cannot_be_fitted_is_refused():
    regression = remade_regression()
    with pytest.raises(ProblemError, match="set auto, gram or kernel"):
        make_solver("himalaya", regression)
    shifted = {story: (fold + 1) % 3 for story, fold in regression.folds.items()}
    with pytest.raises(ProblemError, match="other folds"):
        make_solver("gram", replace(regression, folds=shifted))


def test_all_sets_of_folds_of_a_nested_search_are_known():
    assert [o for o in OUTS if len(o) == 2] == list(combinations(range(3), 2))
