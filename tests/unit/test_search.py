"""The search leaves out what does not help, and finds what the whole grid would."""

import numpy as np
import pytest

from pipeline.fit.search import SCALINGS_AT_A_TIME, Search


class Landscape:
    """An engine whose scores are given: (n_scalings, n_alphas, n_voxels). Counts what is asked."""

    def __init__(self, scores, size):
        self.table, self.size = scores, size
        self.asked = np.zeros(scores.shape, int)

    def training(self, out):
        return self

    def scaled(self, scaling):
        self.scaling = int(scaling[0])
        return self

    def solve(self, alpha, voxels):
        self.asked[self.scaling, int(alpha), voxels] += 1
        return self.table[self.scaling, int(alpha), voxels]

    def r(self, coefficients, fold, voxels):
        return coefficients


def search(scores, min_gain=0.0, size=0):
    engine = Landscape(scores, size)
    n_scalings, n_alphas, n_voxels = scores.shape
    scalings = np.arange(n_scalings)[:, None].astype(float)
    uses = {(0,): [(0, 0)], (1,): [(0, 1)]}
    found = Search(engine, scalings, np.arange(n_alphas), n_voxels, uses, 1, min_gain).run()
    return found.best(0), engine.asked > 0


def peaked(n_scalings, n_alphas, n_voxels, seed):
    """Scores with one peak over alpha for every scaling."""
    rng = np.random.default_rng(seed)
    peak = rng.integers(0, n_alphas, (n_scalings, 1, n_voxels))
    height = rng.random((n_scalings, 1, n_voxels))
    return (height - 0.05 * np.abs(np.arange(n_alphas)[:, None] - peak)).astype(np.float32)


@pytest.mark.parametrize("n_scalings", [1, 2, 5, 30])
def test_with_one_peak_over_alpha_it_finds_the_best_of_all(n_scalings):
    scores = peaked(n_scalings, 9, 40, seed=n_scalings)
    (scaling, alpha, score), asked = search(scores)
    flat = scores.reshape(-1, 40)
    np.testing.assert_allclose(score, flat.max(axis=0), atol=1e-6)
    assert (scaling * 9 + alpha == flat.argmax(axis=0)).all()
    assert asked[0].all()
    assert n_scalings == 1 or asked[1:].mean() < 0.8


def test_a_voxel_leaves_when_scalings_stop_helping():
    """One voxel gains with every scaling, the other only within the first ones."""
    n_scalings = 1 + 4 * SCALINGS_AT_A_TIME
    scores = np.zeros((n_scalings, 3, 2), np.float32)
    scores[:, 1, 0] = np.linspace(0, 1, n_scalings)
    scores[:, 1, 1] = np.minimum(np.linspace(0, 1, n_scalings), 0.1)
    (scaling, _, _), asked = search(scores, min_gain=0.01)
    assert scaling[0] == n_scalings - 1
    assert asked[:, 1, 0].all()
    assert not asked[1 + 2 * SCALINGS_AT_A_TIME :, :, 1].any()


@pytest.mark.parametrize("size", [0, 10_000])
def test_what_other_voxels_want_changes_nothing(size):
    """Not even where few voxels are scored together."""
    scores = peaked(20, 9, 30, seed=3)
    scores += np.random.default_rng(1).normal(0, 0.1, scores.shape).astype(np.float32)
    whole, _ = search(scores, min_gain=0.01, size=size)
    part, _ = search(scores[..., 7:9], min_gain=0.01, size=size)
    for a, b in zip(whole, part, strict=True):
        np.testing.assert_array_equal(a[7:9], b)


def test_few_voxels_are_solved_with_one_factorisation_a_candidate():
    scores = peaked(6, 9, 30, seed=2)
    engine = Landscape(scores, size=10_000)
    uses = {(0,): [(0, 0)]}
    scalings = np.arange(6.0)[:, None]
    Search(engine, scalings, np.arange(9), 30, uses, 1, 0.0).run()
    assert engine.asked.max() == 1
    assert (engine.asked.any(axis=-1) == engine.asked.all(axis=-1)).all()
