"""The search finds the best alphas where scores have one peak, and asks for little."""

from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.fit.narrow import COMBINATIONS, combinations, split
from pipeline.fit.search import Search
from tests.unit.test_fit import make_problem

OFF = 6  # the index of leaving a band out: one beyond the alphas


class Landscape:
    """An engine whose scores are given: a function of the alphas' indices. Counts what is asked."""

    def __init__(self, score, n_bands=2, size=0):
        self.score, self.size = score, size
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


def run(engine, n_voxels, n_alphas=OFF, refinements=0, min_gain=0.0):
    uses = {(0,): [(0, 0)], (1,): [(0, 1)]}
    found = Search(
        engine, np.arange(n_alphas), n_voxels, uses, 1, refinements, min_gain
    ).run()  # fmt: skip
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


def test_a_refinement_must_gain_enough():
    _, score = hills(40, 2)
    few, _, _ = run(Landscape(score), 40, refinements=30, min_gain=10)
    none, _, _ = run(Landscape(score), 40)
    np.testing.assert_array_equal(few, none)


def test_not_every_candidate_is_tried_for_every_voxel():
    _, score = hills(40, 3)
    engine = Landscape(score, 3)
    run(engine, 40)
    assert sum(len(voxels) for _, voxels in engine.asked) < 20 * 40
    pairs = [(point, v) for point, voxels in engine.asked for v in voxels]
    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize("size", [0, 10_000])
def test_other_voxels_of_the_block_change_nothing(size):
    """Not even where few voxels are scored together."""
    noise = np.random.default_rng(2).normal(0, 0.2, (OFF + 1, OFF + 1, 30))

    def score(point, voxels):
        return noise[point[0], point[1]][voxels]

    whole, scores, _ = run(Landscape(score, size=size), 30, refinements=3)
    for start in (0, 7, 29):
        part, found, _ = run(
            Landscape(lambda p, v, a=start: score(p, v + a), size=size), 1, refinements=3
        )
        np.testing.assert_array_equal(part, whole[:, [start]])
        np.testing.assert_array_equal(found, scores[[start]])


def test_few_voxels_are_solved_with_one_factorisation_a_candidate():
    _, score = hills(30, 2)
    engine = Landscape(score, size=10_000)
    _, _, search = run(engine, 30, refinements=5)
    assert sorted(point for point, _ in engine.asked) == sorted(search.points)
    assert all(voxels == list(range(30)) for _, voxels in engine.asked)


def test_searches_side_by_side_do_not_share_paths():
    """Search 0 sees fold 0 only, search 1 fold 1 only: each finds its own fold's peak."""
    peaks = np.array([[0, 0], [4, 5]])

    class Two(Landscape):
        def left_out(self, fold):
            distance = np.abs(np.array(self.point) - peaks[fold]).sum()
            return SimpleNamespace(r=lambda u: np.full(len(self.voxels), -float(distance)))

    engine = Two(None)
    search = Search(engine, np.arange(6), 3, {(9,): [(0, 0), (1, 1)]}, 2, refinements=9).run()
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


def choices(engine, reference, voxels=40):
    uses = {(0,): [(0, 0)], (1,): [(0, 1)]}
    search = Search(engine, np.arange(OFF), voxels, uses, 1, reference=reference).run()
    return search.best(0)[0], search


def test_reference_voxels_help_noisy_voxels_to_the_peak_that_they_share():
    far, tried = {}, {}
    for name, reference in (("alone", None), ("pooled", np.arange(40))):
        levels, search = choices(Noisy(np.full(40, 4), noise=0.02), reference)
        far[name], tried[name] = np.abs(levels - 4).mean(), len(search.points)
    assert far["pooled"] < far["alone"] / 4
    assert tried["pooled"] < tried["alone"]


def test_reference_voxels_leave_those_alone_whose_peaks_are_apart():
    peak = np.where(np.arange(40) < 20, 1, 4)
    levels, search = choices(Noisy(peak, noise=0.0), np.arange(40))
    np.testing.assert_array_equal(levels, [peak, peak])
    assert search.pool.weight[0] < 0.01


def test_a_voxel_alone_with_the_reference_voxels_chooses_as_in_the_block():
    peak, reference = np.where(np.arange(40) < 20, 1, 4), np.arange(0, 40, 3)
    whole, _ = choices(Noisy(peak, 0.02), reference)
    for v in (0, 1, 25, 39):
        engine = Noisy(peak, 0.02)
        order = np.append(v, reference)
        scores = engine.fold_scores
        engine.fold_scores = [
            lambda point, voxels, k=k, order=order, scores=scores: scores[k](point, order[voxels])
            for k in (0, 1)
        ]
        part, _ = choices(engine, np.arange(1, len(order)), len(order))
        np.testing.assert_array_equal(part[:, 0], whole[:, v])


@pytest.mark.parametrize("n_narrow", [0, 1, 2, 3])
@pytest.mark.parametrize("n_alphas", [1, 6, 12])
def test_combinations_of_narrow_bands_alphas(n_narrow, n_alphas):
    tried = combinations(n_alphas, n_narrow)
    assert tried.shape[1] == n_narrow
    assert 1 <= len(tried) <= COMBINATIONS
    assert len(np.unique(tried, axis=0)) == len(tried)
    assert (tried[0] == n_alphas - 1).all()  # the largest first: they are taken where r is equal


def test_narrow_bands_are_the_narrowest_and_never_all():
    parts = split(make_problem((40, 3, 2, 4, 5)).design)
    assert (parts.wide, parts.narrow) == ([0, 4], [1, 2, 3])
    assert parts.wide_columns.tolist() == [*range(80), *range(98, 108)]
    assert parts.narrow_bands.tolist() == [0] * 6 + [1] * 4 + [2] * 8 + [-1]
    assert split(make_problem((3,)).design).wide == [0]
