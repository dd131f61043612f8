"""Voxels whose scores differ by no more than noise share them; others do not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.fit.pooling import error_variance, pooled, reference_voxels
from pipeline.fit.search import Scored

FOLDS, CANDIDATES = 5, 12


def simulated(kinds, n_voxels=300, noise=0.01, level=0.3, seed=0):
    """True scores of voxels of some kinds; these on folds, with noise: (fold, candidate, voxel)."""
    rng = np.random.default_rng(seed)
    truth = 0.02 * rng.standard_normal((CANDIDATES, kinds))[:, np.arange(n_voxels) % kinds]
    return truth, level + truth + noise * rng.standard_normal((FOLDS, CANDIDATES, n_voxels))


def errors(scores):
    """By the definition: variance over folds of each score less its fold's level."""
    apart = scores - scores.mean(axis=1, keepdims=True)
    variance = apart.var(axis=0, ddof=1).mean(axis=0)
    return variance * (1 / len(scores) + 1 / (len(scores) - 1))


def apart(scores):
    return scores - scores.mean(axis=0)


def distance(scores, truth):
    """Root mean squared distance of scores to the truth, levels aside."""
    return np.sqrt(np.square(apart(scores) - apart(truth)).mean())


def test_the_error_from_sums_is_that_of_the_definition():
    _, scores = simulated(2)
    sums = Scored.of(scores[None].astype(np.float32))
    error = error_variance(sums.scatter[0], sums.levels[0], CANDIDATES)
    np.testing.assert_allclose(error, errors(scores), rtol=1e-3)


def test_one_fold_tells_no_error():
    sums = Scored.of(np.ones((1, 1, CANDIDATES, 4), np.float32))
    assert (error_variance(sums.scatter[0], sums.levels[0], CANDIDATES) == 0).all()


@pytest.mark.parametrize("kinds", [1, 2, 4])
def test_noise_averages_out_over_voxels_of_a_kind(kinds):
    truth, scores = simulated(kinds)
    mean = scores.mean(axis=0)
    shared = pooled(mean, errors(scores), np.arange(300))
    assert distance(shared, truth) < distance(mean, truth) / 2


def test_voxels_of_many_kinds_keep_their_own_scores():
    _, scores = simulated(300, noise=0.002)
    mean = scores.mean(axis=0)
    shared = pooled(mean, errors(scores), np.arange(300))
    np.testing.assert_allclose(shared, apart(mean), atol=1e-3)


def test_without_error_only_equal_scores_are_shared():
    _, scores = simulated(1)
    mean = scores[0]
    np.testing.assert_allclose(pooled(mean, np.zeros(300), np.arange(300)), apart(mean), atol=1e-12)


def test_voxels_in_which_nothing_is_predicted_hardly_count():
    """Most voxels of a brain, here with another best candidate than the others."""
    _, scores = simulated(1)
    other, nothing = simulated(1, n_voxels=3000, level=0.0, seed=1)
    both = np.concatenate([scores, nothing], axis=2)
    reference = np.arange(3300)
    shared = pooled(both.mean(axis=0), np.full(3300, 1.0), reference)[:, 0]  # all are alike
    assert np.abs(shared - apart(scores.mean(axis=0).mean(axis=1))).max() < 0.005
    assert np.abs(apart(other[:, 0])).max() > 0.02


@pytest.mark.parametrize("reference", [[0], [3, 4], range(0, 300, 7), range(300)], ids=len)
def test_equals_a_plain_loop(reference):
    _, scores = simulated(3)
    mean, error, reference = scores.mean(axis=0), errors(scores), np.array(reference)
    shared = pooled(mean, error, reference)
    x, importance = apart(mean), np.square(mean.max(axis=0))
    for v in (0, 3, 100, 299):
        total, weights = np.zeros(CANDIDATES), 0.0
        for r in {v, *reference}:
            near = np.exp(-np.square(x[:, v] - x[:, r]).mean() / (error[v] + error[r]))
            total += importance[r] * near * x[:, r]
            weights += importance[r] * near
        np.testing.assert_allclose(shared[:, v], total / weights, atol=1e-7)


@given(st.integers(0, 2**32 - 1))
def test_other_voxels_outside_the_reference_change_nothing(seed):
    _, scores = simulated(2, n_voxels=30, seed=seed)
    mean, error, reference = scores.mean(axis=0), errors(scores), np.array([2, 5, 11, 20])
    whole = pooled(mean, error, reference)
    some = np.unique([*reference, seed % 30])
    part = pooled(mean[:, some], error[some], np.searchsorted(some, reference))
    np.testing.assert_allclose(part, whole[:, some], atol=1e-12)


@pytest.mark.parametrize("level", [0.0, -0.5], ids=["constant", "negative"])
def test_where_nothing_is_predicted_there_are_still_numbers(level):
    scores = np.full((CANDIDATES, 20), level)
    assert np.isfinite(pooled(scores, np.zeros(20), np.arange(20))).all()


@given(st.integers(1, 10**6), st.integers(1, 2000))
def test_reference_voxels_are_few_and_evenly_spaced(n_voxels, n):
    reference = reference_voxels(n_voxels, n)
    assert 1 <= len(reference) <= n
    if n >= n_voxels:
        assert list(reference) == list(range(n_voxels))
    else:
        assert len(reference) > n / 2
        assert n_voxels - reference[-1] <= reference.step
