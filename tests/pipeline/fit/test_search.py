"""The search finds the best alphas where scores have one peak, and asks for little."""

from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.fit.elimination import COMBINATIONS, combinations, split
from pipeline.fit.search import Search
from tests.pipeline.fit.test_fit import make_regression

OFF = 6  # the index of leaving a band out: one beyond the alphas


class Landscape:
    """An engine whose scores are given: a function of the alphas' indices. Counts what is asked."""

    def __init__(self, score, n_bands=2):
        self.score = score
        self.split = SimpleNamespace(wide=list(range(n_bands)), narrow=[])
        self.asked = []

    def mixed(self, alphas):
        assert np.isfinite(alphas).any()
        self.point = tuple(np.where(np.isinf(alphas), OFF, alphas).astype(int).tolist())
        return self

    def solve(self, out, voxels):
        self.voxels = voxels
        if out == (0,):
            self.asked.append((self.point, voxels.tolist()))
        self.remainder = SimpleNamespace(solve=lambda alphas, voxels: None)
        return self

    def left_out(self, fold):
        return SimpleNamespace(r=lambda u: self.score(np.array(self.point), self.voxels))


USES = {(0,): [(0, 0)], (1,): [(0, 1)]}


def run(engine, n_voxels, n_alphas=OFF, refinements=0, keep=False):
    found = Search(engine, np.arange(n_alphas), n_voxels, USES, 1, refinements, keep).run()
    return *found.best(0), found


def hills(n_voxels, n_bands, seed=0):
    """One smooth peak a voxel, anywhere; the score falls with the distance from it."""
    peak = np.random.default_rng(seed).integers(0, 6, (n_bands, n_voxels))

    def score(point, voxels):
        return 1 - 0.05 * np.square(point[:, None] - peak[:, voxels]).sum(axis=0)

    return peak, score


@pytest.mark.parametrize("n_bands", [1, 2, 3, 4])
def test_with_refinements_the_peak_of_a_hill_is_found(n_bands):
    peak, score = hills(40, n_bands)
    levels, found, _ = run(Landscape(score, n_bands), 40, refinements=30)
    np.testing.assert_array_equal(levels, peak)
    np.testing.assert_allclose(found, 1, atol=1e-6)


@pytest.mark.parametrize("n_bands", [1, 2, 3, 4, 5])
def test_without_them_shared_alphas_and_bands_left_out_are_found(n_bands):
    """The best alpha for some bands, the others off."""
    rng = np.random.default_rng(1)
    peak = np.where(rng.random((n_bands, 30)) < 0.5, rng.integers(0, OFF, 30), OFF)
    peak[0, (peak == OFF).all(axis=0)] = 2  # never all of them
    levels, _, _ = run(
        Landscape(lambda p, v: -np.abs(p[:, None] - peak[:, v]).sum(axis=0), n_bands), 30
    )
    np.testing.assert_array_equal(levels, peak)


@pytest.mark.parametrize("n_bands", [6, 12, 24])
def test_of_many_bands_the_right_ones_are_left_out_at_few_points(n_bands):
    """Three kinds of voxels, each with its own bands; points grow with the bands, not the square.

    One of the bands is the same as another: either, not both, can be left out.
    """
    rng = np.random.default_rng(3)
    needed = rng.random((n_bands, 3)) < 0.4
    needed[0], needed[1] = False, False
    worth = np.where(needed, 0.02, -0.01)[:, np.arange(60) % 3]

    def score(point, voxels):
        there = point < OFF
        shared = point.min() if there.any() else OFF
        twins = 0.05 * (there[0] or there[1]) - 0.01 * (there[0] and there[1])
        return (there[2:] @ worth[2:, voxels]) + twins - 0.001 * (shared - 3) ** 2

    levels, _, search = run(Landscape(score, n_bands), 60)
    left_out = levels == OFF
    np.testing.assert_array_equal(left_out[2:], worth[2:] < 0)
    np.testing.assert_array_equal(left_out[:2].sum(axis=0), 1)
    assert len(search.points) < 12 * n_bands + 40


def test_not_every_candidate_is_tried_and_none_twice():
    _, score = hills(40, 4)
    engine = Landscape(score, 4)
    _, _, search = run(engine, 40)
    assert len(search.points) < ((OFF + 1) ** 4 - 1) / 10
    assert sorted(point for point, _ in engine.asked) == sorted(search.points)


def test_what_is_best_for_a_few_voxels_is_not_followed_up():
    """One of 200 has its peak far away, at the end of a ridge of its own."""

    def score(point, voxels):
        distance = np.abs(point[:, None] - np.where(voxels == 7, 5, 2)).sum(axis=0)
        return 1 - 0.05 * distance

    _, _, most = run(Landscape(score), 200)
    assert (5, 5) not in most.points
    _, _, alone = run(Landscape(lambda point, voxels: score(point, voxels + 7)), 1)
    assert (5, 5) in alone.points


def test_searches_side_by_side_do_not_share_paths():
    """Search 0 sees fold 0 only, search 1 fold 1 only: each finds its own fold's peak."""
    peaks = np.array([[0, 0], [4, 5]])

    class Two(Landscape):
        def left_out(self, fold):
            distance = np.abs(np.array(self.point) - peaks[fold]).sum()
            return SimpleNamespace(r=lambda u: np.full(len(self.voxels), -float(distance)))

    engine = Two(None)
    search = Search(engine, np.arange(6), 3, {(9,): [(0, 0), (1, 1)]}, 2, refinements=9).run()
    assert (0, 0) not in search._choose(1)[0]
    assert (4, 5) not in search._choose(0)[0]
    for k in (0, 1):
        np.testing.assert_array_equal(search.best(k)[0], np.repeat(peaks[k][:, None], 3, axis=1))


class Noisy(Landscape):
    """40 voxels' peaks, which are at one alpha for both bands; each of two folds adds noise."""

    def __init__(self, peak, noise, seed=0):
        rng = np.random.default_rng(seed)
        noises = noise * rng.standard_normal((2, OFF + 1, OFF + 1, 40))
        self.fold_scores = [
            lambda point, voxels, k=k: (
                0.4
                - 0.004 * np.square(point[:, None] - peak[voxels]).sum(axis=0)
                + noises[k][tuple(point)][voxels]
            )
            for k in (0, 1)
        ]
        super().__init__(None)

    def left_out(self, fold):
        return SimpleNamespace(
            r=lambda u: self.fold_scores[fold](np.array(self.point), self.voxels)
        )


@pytest.mark.parametrize("kinds", [(4, 4), (1, 4)], ids=["one kind", "two kinds"])
def test_noisy_voxels_find_the_peak_of_their_kind_together(kinds, monkeypatch):
    """With a tenth of the error, and with fewer alphas tried, that each has alone."""
    peak = np.where(np.arange(40) < 20, *kinds)
    levels, _, search = run(Noisy(peak, noise=0.01), 40)
    far, tried = np.abs(levels - peak).mean(), len(search.points)
    monkeypatch.setattr("pipeline.fit.search.pooled", lambda scores, *_: scores)
    levels, _, search = run(Noisy(peak, noise=0.01), 40)
    assert far < np.abs(levels - peak).mean() / 10
    assert tried <= len(search.points)


@pytest.mark.parametrize("n_narrow", [0, 1, 2, 3])
@pytest.mark.parametrize("n_alphas", [1, 6, 12])
def test_combinations_of_narrow_bands_alphas(n_narrow, n_alphas):
    tried = combinations(n_alphas, n_narrow)
    assert tried.shape[1] == n_narrow
    assert 1 <= len(tried) <= COMBINATIONS
    assert len(np.unique(tried, axis=0)) == len(tried)
    assert (tried[0] == n_alphas - 1).all()  # the largest first: they are taken where r is equal


def test_narrow_bands_are_the_narrowest_and_never_all():
    parts = split(make_regression((40, 3, 2, 4, 5)).design)
    assert (parts.wide, parts.narrow) == ([0, 4], [1, 2, 3])
    assert parts.wide_columns.tolist() == [*range(80), *range(98, 108)]
    assert parts.narrow_bands.tolist() == [0] * 6 + [1] * 4 + [2] * 8 + [-1]
    assert split(make_regression((3,)).design).wide == [0]


def test_narrow_bands_are_small_beside_the_design():
    """All combinations of their alphas are tried: they must not take longer than all the rest."""
    assert split(make_regression((40, 30, 26, 4)).design).narrow == [2, 3]  # 8 + 52 columns
    assert split(make_regression((40, 30, 30, 4)).design).narrow == [3]  # 68 would be too many
    assert split(make_regression((600, 30, 30, 4)).design).narrow == [1, 3]  # not of a large one


def test_there_are_fewer_narrow_columns_in_a_design_that_is_not_tiny():
    assert split(make_regression((90, 26, 12)).design).narrow == [2]  # 256 columns
    assert split(make_regression((91, 26, 12)).design).narrow == [2]  # 24 of 258; 76 are too many
    assert split(make_regression((91, 26, 17)).design).narrow == []  # 34
