import dataclasses
from itertools import product

import numpy as np
import pytest
from himalaya.backend import set_backend
from sklearn.linear_model import Ridge as SklearnRidge

from pipeline.core.errors import ProblemError
from pipeline.core.series import pearson
from pipeline.fit import himalaya_solver
from pipeline.fit.cross_validation import choose_solver, fit_block, make_guide, make_solver
from pipeline.fit.design import Band, Design
from pipeline.fit.options import CONCENTRATIONS, Alphas, band_scalings, training_folds
from pipeline.fit.regression import Regression

SOLVERS = ["gram", "kernel", "himalaya"]


def make_regression(
    n_columns=(4, 6), n_voxels=7, n_stories=6, n_rows=30, n_folds=3, n_scalings=4, seed=0, noise=2.0
):
    """Bands that explain the responses unequally; columns and responses have nonzero means."""
    rng = np.random.default_rng(seed)
    stories = [f"s{i}" for i in range(n_stories)]
    responses = {
        s: noise * rng.standard_normal((n_rows, n_voxels)) + rng.standard_normal(n_voxels)
        for s in stories
    }
    bands = []
    for b, n in enumerate(n_columns):
        values = {s: rng.standard_normal((n_rows, n)).astype(np.float32) + 0.3 for s in stories}
        mixing = rng.standard_normal((n, n_voxels)) * (b + 1) / np.sqrt(n)
        for s in stories:
            responses[s] = responses[s] + values[s] @ mixing
        bands.append(Band(f"b{b}", values, (0, 1), (1.0, 0.5)))
    folds = training_folds(stories, dict.fromkeys(stories, n_rows), n_folds, seed)
    return Regression(
        Design(tuple(bands)),
        {s: r.astype(np.float32) for s, r in responses.items()},
        folds,
        np.logspace(-1, 4, 6),
        refinements=5,
        scalings=band_scalings(len(n_columns), n_scalings, seed),
    )


def stack(regression, stories):
    X = np.concatenate([regression.design.rows(s) for s in stories]).astype(np.float64)
    Y = np.concatenate([regression.responses[s] for s in stories]).astype(np.float64)
    return X, Y


def by_scikit_learn(regression, stories, alphas):
    """Ridge with an alpha for each band, on columns scaled to alpha 1: model and their factors."""
    X, Y = stack(regression, stories)
    n_columns = [band.n_columns for band in regression.design.bands]
    factor = 1 / np.sqrt(np.repeat(alphas, n_columns))
    return SklearnRidge(alpha=1).fit(X * factor, Y), factor


def score_by_scikit_learn(regression, stories, alphas):
    """Mean r over the folds of `stories`, (n_voxels,)."""
    r = []
    for fold in sorted({regression.folds[s] for s in stories}):
        inside = [s for s in stories if regression.folds[s] == fold]
        outside = [s for s in stories if regression.folds[s] != fold]
        reference, factor = by_scikit_learn(regression, outside, alphas)
        X, Y = stack(regression, inside)
        r.append(pearson(reference.predict(X * factor), Y))
    return np.mean(r, axis=0)


WIDTHS = [(4, 6), (60, 80), (5,), (40, 3), (40, 3, 2), (40, 50, 3)]  # with two delays, 64 is narrow


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_columns", WIDTHS, ids=str)
@pytest.mark.parametrize("exclude", [None, 1])
def test_weights_equal_scikit_learn_at_the_chosen_alphas(solver, n_columns, exclude):
    regression = make_regression(n_columns)
    model = make_solver(solver, regression).fit(exclude)
    for v in range(7):
        reference, factor = by_scikit_learn(
            regression, regression.stories(exclude), model.alpha[:, v]
        )
        np.testing.assert_allclose(model.weights[:, v], reference.coef_[v] * factor, atol=2e-4)
        assert model.intercept[v] == pytest.approx(reference.intercept_[v], abs=2e-4)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_columns", WIDTHS, ids=str)
@pytest.mark.parametrize("exclude", [None, 2])
def test_scores_equal_a_plain_loop_over_folds(solver, n_columns, exclude):
    regression = make_regression(n_columns)
    model = make_solver(solver, regression).fit(exclude)
    stories = regression.stories(exclude)
    for v in range(7):
        expected = score_by_scikit_learn(regression, stories, model.alpha[:, v])[v]
        assert model.score[v] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("solver", ["gram", "kernel"])
@pytest.mark.parametrize(("n_columns", "loss"), [((4, 6), 1e-3), ((40, 50), 3e-3)], ids=str)
def test_no_alphas_are_better(solver, n_columns, loss):
    """Every combination of two bands' alphas fitted and scored by scikit-learn, voxel by voxel."""
    regression = make_regression(n_columns, n_voxels=5)
    grid = list(product(regression.alphas, repeat=2))
    table = np.stack([score_by_scikit_learn(regression, list(regression.folds), a) for a in grid])
    for v in range(5):
        alone = {s: r[:, [v]] for s, r in regression.responses.items()}
        found = make_solver(solver, dataclasses.replace(regression, responses=alone)).fit(None)
        best = table[:, v].max()
        assert best - loss < found.score[0] < best + 1e-4
        assert np.median(table[:, v]) < best - 2 * loss


@pytest.mark.parametrize("n_columns", WIDTHS, ids=str)
@pytest.mark.parametrize("solver", ["gram", "kernel"])
def test_ours_equals_himalaya_at_the_same_alphas(n_columns, solver):
    regression = make_regression(n_columns)
    ours = make_solver(solver, regression).fit(None)
    for v in range(7):
        ratio = 1 / ours.alpha[:, v]
        same = dataclasses.replace(
            regression,
            responses={s: r[:, [v]] for s, r in regression.responses.items()},
            alphas=np.array([1 / ratio.sum()]),
            scalings=ratio[None] / ratio.sum(),
        )
        theirs = make_solver("himalaya", same).fit(None)
        assert theirs.score[0] == pytest.approx(ours.score[v], abs=1e-4)
        np.testing.assert_allclose(theirs.weights[:, 0], ours.weights[:, v], atol=1e-4)
        np.testing.assert_allclose(theirs.alpha[:, 0], ours.alpha[:, v], rtol=1e-3)


@pytest.mark.parametrize("n_columns", [(4, 6), (60, 80)])  # primal, kernel
def test_himalaya_on_its_torch_backend_gives_arrays_and_the_same(n_columns, monkeypatch):
    """What a GPU has, but on the processor."""
    regression = make_regression(n_columns)
    expected = make_solver("himalaya", regression).fit(None)
    monkeypatch.setattr(
        himalaya_solver, "set_backend", lambda name, on_error: set_backend("torch", on_error)
    )
    found = make_solver("himalaya", regression).fit(None)
    set_backend("numpy")
    np.testing.assert_array_equal(found.alpha, expected.alpha)
    np.testing.assert_allclose(found.weights, expected.weights, atol=1e-4)
    np.testing.assert_allclose(found.intercept, expected.intercept, atol=1e-3)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("size", [1, 7])
def test_blocks_of_voxels_change_nothing(solver, size):
    """Half of the voxels are noise, whose scores hardly depend on the alphas."""
    regression = make_regression((40, 50, 3), n_voxels=14)
    rng = np.random.default_rng(1)
    for responses in regression.responses.values():
        responses[:, ::2] = rng.standard_normal((30, 7))
    reference = np.array([1, 4, 9, 10])
    regression = dataclasses.replace(regression, reference=reference)
    whole = fit_block(regression, make_solver(solver, regression))
    guide = None
    if solver != "himalaya":
        guide = make_guide(solver, some(regression, reference)).complete()
    for start in range(0, 14, size):
        block = slice(start, start + size)
        places = [list(reference).index(v) if v in reference else -1 for v in range(14)[block]]
        part = dataclasses.replace(some(regression, block), reference=np.array(places))
        fit = fit_block(part, make_solver(solver, part, guide=guide))
        np.testing.assert_allclose(fit.r_train, whole.r_train[:, block], atol=1e-5)
        # himalaya is in single precision whatever the alpha, and gives the logarithm of a ratio.
        exact = solver != "himalaya"
        atol = 1e-5 if exact else 1e-3
        np.testing.assert_allclose(fit.final.weights, whole.final.weights[:, block], atol=atol)
        rtol = 0 if exact else 1e-5
        np.testing.assert_allclose(fit.final.alpha, whole.final.alpha[:, block], rtol=rtol)


def some(regression, voxels):
    """The regression of some voxels."""
    responses = {s: r[:, voxels] for s, r in regression.responses.items()}
    return dataclasses.replace(regression, responses=responses)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("reference", [None, np.array([1, 4])], ids=["all", "two"])
def test_nested_predictions_ignore_the_fold_they_predict(solver, reference):
    """Nothing of a fold, neither weights nor choices, enters the model that predicts it."""
    regression = dataclasses.replace(make_regression(), reference=reference)
    before = make_solver(solver, regression).fit(0)
    changed = {
        s: r if regression.folds[s] != 0 else np.random.default_rng(9).standard_normal(r.shape)
        for s, r in regression.responses.items()
    }
    after = make_solver(solver, dataclasses.replace(regression, responses=changed)).fit(0)
    np.testing.assert_allclose(after.weights, before.weights, atol=1e-5)
    np.testing.assert_array_equal(after.alpha, before.alpha)


@pytest.mark.parametrize("solver", SOLVERS)
def test_noise_is_not_predicted(solver):
    """Out-of-fold r of pure noise is zero on average: choices made on the same folds would show."""
    regression = make_regression(n_voxels=400, noise=1.0)
    rng = np.random.default_rng(0)
    noise = {s: rng.standard_normal((30, 400)).astype(np.float32) for s in regression.folds}
    regression = dataclasses.replace(regression, responses=noise)
    fit = fit_block(regression, make_solver(solver, regression))
    assert abs(fit.r_train.mean()) < 0.02
    assert fit.final.score.mean() > 0.02  # the score that was maximised is biased upwards


def test_bands_are_regularised_per_voxel():
    """A voxel that only band 0 drives leaves band 1 little, and the other way round."""
    rng = np.random.default_rng(0)
    regression = make_regression((20, 20), n_voxels=2, n_rows=60, n_scalings=20)
    bands = regression.design.bands
    for s in regression.folds:
        for v in (0, 1):
            drive = bands[v].values[s][:, :10].sum(axis=1)
            regression.responses[s][:, v] = drive + rng.standard_normal(60) * 3
    alpha = fit_block(regression, make_solver("gram", regression)).final.alpha
    assert alpha[0, 0] <= alpha[1, 0] / 10
    assert alpha[1, 1] <= alpha[0, 1] / 10


def test_folds_are_whole_stories_of_similar_length():
    """The authors drew random 40-TR chunks inside stories (error 10)."""
    stories = [f"s{i}" for i in range(20)]
    n_rows = {s: 100 + 15 * i for i, s in enumerate(stories)}
    folds = training_folds(stories, n_rows, 5, seed=0)
    assert list(folds) == stories
    filled = np.bincount(list(folds.values()), [n_rows[s] for s in stories])
    assert filled.max() - filled.min() <= max(n_rows.values())
    assert training_folds(stories, n_rows, 5, 0) == folds
    assert training_folds(stories, n_rows, 5, 1) != folds
    assert len(set(training_folds(stories[:3], n_rows, 3, 0).values())) == 3


@pytest.mark.parametrize("n_stories", [1, 2])
def test_fewer_stories_than_folds_are_an_error(n_stories):
    stories = [f"s{i}" for i in range(n_stories)]
    with pytest.raises(ProblemError, match="whole stories"):
        training_folds(stories, dict.fromkeys(stories, 50), 3, seed=0)


def test_candidates():
    assert band_scalings(1, 10, 0).tolist() == [[1.0]]
    scalings = band_scalings(3, 10, 0)
    assert scalings.shape == (10, 3)
    np.testing.assert_allclose(scalings.sum(axis=1), 1)
    np.testing.assert_allclose(scalings[0], 1 / 3)
    assert (scalings == band_scalings(3, 10, 0)).all()
    assert (scalings[1:] != band_scalings(3, 10, 1)[1:]).any()
    np.testing.assert_allclose(Alphas(min=0, max=4, n=3).values(), [1, 100, 10_000])


def test_auto_takes_the_smaller_systems():
    assert choose_solver("auto", n_rows=30_000, n_columns=6_000, n_folds=5) == "gram"
    assert choose_solver("auto", n_rows=3_000, n_columns=6_000, n_folds=5) == "kernel"
    assert choose_solver("auto", n_rows=3_000, n_columns=2_700, n_folds=5) == "kernel"
    assert choose_solver("himalaya", n_rows=3_000, n_columns=6_000, n_folds=5) == "himalaya"


def test_the_draws_are_himalayas():
    from himalaya.kernel_ridge import generate_dirichlet_samples

    theirs = np.asarray(generate_dirichlet_samples(9, 3, CONCENTRATIONS, random_state=4))
    np.testing.assert_array_equal(band_scalings(3, 9, 4)[1:], theirs[1:])


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_constant_response_is_survived(solver):
    regression = make_regression()
    for responses in regression.responses.values():
        responses[:, 2] = 0
    model = make_solver(solver, regression).fit(None)
    assert np.isfinite(model.weights).all()
    assert np.abs(model.weights[:, 2]).max() < 1e-6
