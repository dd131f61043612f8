"""Voxels share what their scores say in the measure in which they are noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.fit.pooling import Pool, reference_voxels


def simulated(spread, n_voxels=400, n_folds=5, scatter=0.004, seed=0):
    """Scores around 0.3 of 12 candidates: voxels differ by `spread`, folds scatter by `scatter`."""
    rng = np.random.default_rng(seed)
    truth = 0.3 + spread * rng.standard_normal((1, 12, n_voxels))
    return truth + scatter * rng.standard_normal((n_folds, 12, n_voxels))


def weight(scores, voxels=None):
    voxels = np.arange(scores.shape[-1]) if voxels is None else voxels
    return Pool.of(scores[None], voxels).weight[0]


def test_the_weight_is_the_share_of_noise():
    """By its formula, the scatter and the spread being known."""
    for spread in (0.002, 0.004, 0.008):
        noise = 0.004**2 * (1 / 5 + 1 / 4)
        share = noise / (spread**2 + 0.004**2 / 5)
        assert weight(simulated(spread)) == pytest.approx(min(share, 1), rel=0.1)


def test_voxels_alike_but_for_noise_are_pooled_and_distinct_ones_are_not():
    assert weight(simulated(0)) == 1
    assert weight(simulated(0.05, scatter=0.002)) < 0.02


def test_voxels_in_which_nothing_is_predicted_hardly_count():
    """Most voxels of a brain: with plain means they would decide."""
    signal = simulated(0.008)
    rng = np.random.default_rng(1)
    nothing = 0.005 + 0.008 * rng.standard_normal((5, 12, 4000))
    nothing[:, 3] += 0.005  # and one candidate is a little better there
    both = np.concatenate([signal, nothing], axis=2)
    assert weight(both) == pytest.approx(weight(signal), rel=0.2)
    pool = Pool.of(both[None], np.arange(4400))
    means = pool.mean(both.mean(axis=0)[None])[0]
    expected = signal.mean(axis=(0, 2))
    np.testing.assert_allclose(means - means.mean(), expected - expected.mean(), atol=7e-4)


@given(st.integers(0, 2**32 - 1))
def test_a_voxels_level_changes_no_weight(seed):
    """Among voxels that count alike: only differences between candidates do."""
    scores = simulated(0.005, n_voxels=30, seed=seed)
    level = np.random.default_rng(seed).normal(0, 1e-5, 30)
    assert weight(scores + level) == pytest.approx(weight(scores), abs=0.01)


@pytest.mark.parametrize(
    "scores",
    [
        np.zeros((5, 12, 20)),  # constant responses
        np.full((5, 1, 20), 0.3),  # one candidate
        simulated(0.01, n_folds=1),  # no folds to compare
        -simulated(0.01),  # nothing predicted
        simulated(0.01, n_voxels=1),
    ],
    ids=["constant", "one candidate", "one fold", "negative", "one voxel"],
)
def test_where_nothing_can_be_estimated_there_is_still_a_number(scores):
    pool = Pool.of(scores[None].astype(np.float32), np.arange(scores.shape[-1]))
    assert 0 <= pool.weight[0] <= 1
    assert pool.importance.sum() == pytest.approx(1)


def test_mixed_scores_lie_between_a_voxels_own_and_the_mean():
    rng = np.random.default_rng(0)
    table = rng.random((2, 3, 6), np.float32)
    voxels = np.array([1, 2, 5, 7, 8, 9])
    importance = np.array([[0.25, 0.75], [1, 0]])
    pool = Pool(np.array([2, 8]), importance, np.array([0.4, 0.9], np.float32))
    mixed = pool.mixed(table, voxels)
    for s in range(2):
        mean = table[s][:, [1, 4]] @ importance[s]
        w = pool.weight[s]
        np.testing.assert_allclose(mixed[s], (1 - w) * table[s] + w * mean[:, None], rtol=1e-5)


@given(st.integers(1, 10**6), st.integers(0, 2000))
def test_reference_voxels_are_few_and_evenly_spaced(n_voxels, n):
    reference = reference_voxels(n_voxels, n)
    assert len(reference) <= n
    if n >= n_voxels:
        assert list(reference) == list(range(n_voxels))
    elif n:
        assert len(reference) > n / 2
        assert n_voxels - reference[-1] <= reference.step
