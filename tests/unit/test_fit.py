import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import Ridge as SklearnRidge

from pipeline.design import Band, Design
from pipeline.errors import InputError
from pipeline.fit.base import Problem
from pipeline.fit.candidates import CONCENTRATIONS, alphas, band_scalings, training_folds
from pipeline.fit.nested import choose_solver, fit_block, make_solver
from pipeline.score import pearson

SOLVERS = ["gram", "kernel", "himalaya"]


def make_problem(
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
    return Problem(
        Design(tuple(bands)),
        {s: r.astype(np.float32) for s, r in responses.items()},
        folds,
        band_scalings(len(n_columns), n_scalings, seed),
        np.logspace(-1, 4, 6),
    )


def stack(problem, stories):
    X = np.concatenate([problem.design.rows(s) for s in stories]).astype(np.float64)
    Y = np.concatenate([problem.responses[s] for s in stories]).astype(np.float64)
    return X, Y


def by_scikit_learn(problem, stories, scaling, alpha):
    """Ridge on scaled columns: model and the column factors."""
    X, Y = stack(problem, stories)
    n_columns = [band.n_columns for band in problem.design.bands]
    factor = np.sqrt(np.repeat(scaling, n_columns))
    return SklearnRidge(alpha=alpha).fit(X * factor, Y), factor


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_columns", [(4, 6), (60, 80), (5,)])
@pytest.mark.parametrize("exclude", [None, 1])
def test_weights_equal_scikit_learn_at_the_chosen_candidates(solver, n_columns, exclude):
    problem = make_problem(n_columns)
    model = make_solver(solver, problem).fit(exclude)
    for v in range(7):
        reference, factor = by_scikit_learn(
            problem, problem.stories(exclude), model.scaling[:, v], model.alpha[v]
        )
        np.testing.assert_allclose(model.weights[:, v], reference.coef_[v] * factor, atol=2e-4)
        assert model.intercept[v] == pytest.approx(reference.intercept_[v], abs=2e-4)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("exclude", [None, 2])
def test_the_search_equals_a_plain_loop(solver, exclude):
    """Every candidate fitted and scored by scikit-learn; the best mean r over folds wins."""
    problem = make_problem()
    stories = problem.stories(exclude)
    inner = sorted({problem.folds[s] for s in stories})
    table = np.zeros((len(problem.scalings), len(problem.alphas), 7))
    for i, scaling in enumerate(problem.scalings):
        for j, alpha in enumerate(problem.alphas):
            for fold in inner:
                train = [s for s in stories if problem.folds[s] != fold]
                X, Y = stack(problem, [s for s in stories if problem.folds[s] == fold])
                reference, factor = by_scikit_learn(problem, train, scaling, alpha)
                table[i, j] += pearson(reference.predict(X * factor), Y) / len(inner)
    model = make_solver(solver, problem).fit(exclude)
    flat = table.reshape(-1, 7)
    np.testing.assert_allclose(model.score, flat.max(axis=0), atol=1e-4)
    best = flat.argmax(axis=0)
    np.testing.assert_allclose(model.alpha, problem.alphas[best % 6], rtol=1e-4)
    np.testing.assert_allclose(model.scaling, problem.scalings[best // 6].T, atol=1e-4)


@pytest.mark.parametrize("n_columns", [(4, 6, 3), (60, 80)])
@pytest.mark.parametrize("solver", ["gram", "kernel"])
def test_ours_equals_himalaya(n_columns, solver):
    problem = make_problem(n_columns, n_voxels=40)
    a, b = (fit_block(problem, make_solver(name, problem)) for name in ("himalaya", solver))
    np.testing.assert_allclose(a.r_train, b.r_train, atol=1e-4)
    np.testing.assert_allclose(a.final.score, b.final.score, atol=1e-4)
    np.testing.assert_allclose(a.final.weights, b.final.weights, atol=1e-4)
    np.testing.assert_allclose(a.final.alpha, b.final.alpha, rtol=1e-4)


@pytest.mark.parametrize("solver", SOLVERS)
def test_voxels_do_not_influence_each_other(solver):
    problem = make_problem(n_voxels=9)
    whole = fit_block(problem, make_solver(solver, problem))
    responses = {s: r[:, 3:5] for s, r in problem.responses.items()}
    part = dataclasses.replace(problem, responses=responses)
    block = fit_block(part, make_solver(solver, part))
    np.testing.assert_allclose(block.r_train, whole.r_train[:, 3:5], atol=1e-5)
    np.testing.assert_allclose(block.final.weights, whole.final.weights[:, 3:5], atol=1e-5)


@pytest.mark.parametrize("solver", SOLVERS)
def test_nested_predictions_ignore_the_fold_they_predict(solver):
    """Nothing of a fold, neither weights nor choices, enters the model that predicts it."""
    problem = make_problem()
    before = make_solver(solver, problem).fit(0)
    changed = {
        s: r if problem.folds[s] != 0 else np.random.default_rng(9).standard_normal(r.shape)
        for s, r in problem.responses.items()
    }
    after = make_solver(solver, dataclasses.replace(problem, responses=changed)).fit(0)
    np.testing.assert_allclose(after.weights, before.weights, atol=1e-5)
    np.testing.assert_array_equal(after.alpha, before.alpha)


@pytest.mark.parametrize("solver", SOLVERS)
def test_noise_is_not_predicted(solver):
    """Out-of-fold r of pure noise is zero on average: choices made on the same folds would show."""
    problem = make_problem(n_voxels=400, noise=1.0)
    rng = np.random.default_rng(0)
    noise = {s: rng.standard_normal((30, 400)).astype(np.float32) for s in problem.folds}
    problem = dataclasses.replace(problem, responses=noise)
    fit = fit_block(problem, make_solver(solver, problem))
    assert abs(fit.r_train.mean()) < 0.02
    assert fit.final.score.mean() > 0.02  # the score that was maximised is biased upwards


def test_bands_are_scaled_per_voxel():
    """A voxel that only band 0 drives gives band 1 little, and the other way round."""
    rng = np.random.default_rng(0)
    problem = make_problem((20, 20), n_voxels=2, n_rows=60, n_scalings=20)
    bands = problem.design.bands
    for s in problem.folds:
        for v in (0, 1):
            drive = bands[v].values[s][:, :10].sum(axis=1)
            problem.responses[s][:, v] = drive + rng.standard_normal(60) * 3
    scaling = fit_block(problem, make_solver("gram", problem)).final.scaling
    assert scaling[0, 0] > 0.8
    assert scaling[1, 1] > 0.8


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
    with pytest.raises(InputError, match="whole stories"):
        training_folds(stories, dict.fromkeys(stories, 50), 3, seed=0)


def test_candidates():
    assert band_scalings(1, 10, 0).tolist() == [[1.0]]
    scalings = band_scalings(3, 10, 0)
    assert scalings.shape == (10, 3)
    np.testing.assert_allclose(scalings.sum(axis=1), 1)
    np.testing.assert_allclose(scalings[0], 1 / 3)
    assert (scalings == band_scalings(3, 10, 0)).all()
    assert (scalings[1:] != band_scalings(3, 10, 1)[1:]).any()
    np.testing.assert_allclose(alphas({"min": 0, "max": 4, "n": 3}), [1, 100, 10_000])


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
    problem = make_problem()
    for responses in problem.responses.values():
        responses[:, 2] = 0
    model = make_solver(solver, problem).fit(None)
    assert np.isfinite(model.weights).all()
    assert np.abs(model.weights[:, 2]).max() < 1e-6
