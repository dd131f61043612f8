"""The noise ceiling: against known truth, coverage of its intervals, and what has none."""

import numpy as np
import pytest

from pipeline.statistics.ceiling import (
    Estimate,
    ccmax,
    ceiling,
    combine,
    explainable_variance,
    jackknife,
    r_over_ceiling,
)
from tests.pipeline.statistics.test_significance import smooth


def listen(rng, ev, n_repeats=5, n_rows=200, n_voxels=400, phi=0.0):
    """Repeats whose common signal is the share `ev` of their variance; and the signal."""
    signal = smooth(rng, n_rows, n_voxels)
    noise = [smooth(rng, n_rows, n_voxels, phi) for _ in range(n_repeats)]
    return np.stack([np.sqrt(ev) * signal + np.sqrt(1 - ev) * n for n in noise]), signal


def test_ev_is_the_mean_correlation_between_repeats():
    """var(mean)/mean(var), corrected, is algebraically the mean over pairs of repeats."""
    repeats, _ = listen(np.random.default_rng(0), 0.3, n_voxels=6)
    ev = explainable_variance(repeats).value
    for voxel in range(6):
        r = np.corrcoef(repeats[:, :, voxel])
        assert ev[voxel] == pytest.approx(r[np.triu_indices(5, 1)].mean())


@pytest.mark.parametrize("ev", [0.05, 0.3, 0.8])
@pytest.mark.parametrize("n", [2, 10])
def test_ccmax_is_the_correlation_of_the_mean_with_the_signal(ev, n):
    rng = np.random.default_rng(1)
    repeats, signal = listen(rng, ev, n, n_rows=3000, n_voxels=30)
    mean = repeats.mean(axis=0)
    r = [np.corrcoef(mean[:, v], signal[:, v])[0, 1] for v in range(30)]
    assert np.mean(r) == pytest.approx(ccmax(np.array(ev), n), abs=0.02)


@pytest.mark.parametrize("phi", [0.0, 0.85], ids=["white", "autocorrelated"])
@pytest.mark.parametrize("ev", [0.0, 0.2])
def test_intervals_hold_the_truth(ev, phi):
    repeats, _ = listen(np.random.default_rng(2), ev, phi=phi)
    estimate = explainable_variance(repeats)
    covered = (estimate.lo <= ev) & (ev <= estimate.hi)
    assert 0.88 < covered.mean() < 0.99
    assert estimate.value.mean() == pytest.approx(ev, abs=0.02)


def test_no_ceiling_where_nothing_is_common():
    rng = np.random.default_rng(3)
    noise, _ = listen(rng, 0.0)
    assert np.isnan(ceiling(explainable_variance(noise), 5)).mean() > 0.94
    signal, _ = listen(rng, 0.5)
    assert not np.isnan(ceiling(explainable_variance(signal), 5)).any()


def test_a_perfect_model_reaches_its_ceiling_and_half_a_model_half():
    repeats, signal = listen(np.random.default_rng(4), 0.3)
    other = smooth(np.random.default_rng(5), 200, 400)
    for predicted, expected in ((signal, 1.0), (signal + other, np.sqrt(0.5))):
        estimate = jackknife(r_over_ceiling(predicted, repeats.mean(axis=0), repeats))
        assert np.nanmedian(estimate.value) == pytest.approx(expected, abs=0.04)
        covered = (estimate.lo <= expected) & (expected <= estimate.hi)
        assert 0.88 < covered.mean() <= 1


def test_the_run_s_own_bold_exceeds_the_ceiling():
    """It bounds models of the stimulus, not those that see the noise of the run."""
    repeats, _ = listen(np.random.default_rng(6), 0.3)
    mean = repeats.mean(axis=0)
    assert (jackknife(r_over_ceiling(mean, mean, repeats)).lo > 1).mean() > 0.9


def test_voxels_and_stories_without_enough_have_none():
    repeats, signal = listen(np.random.default_rng(7), 0.5, n_voxels=3)
    repeats[2, :, 1] = 4
    estimate = explainable_variance(repeats)
    assert np.isnan(estimate.value).tolist() == [False, True, False]
    short = explainable_variance(repeats[:, :40])
    assert (short.lo[[0, 2]] == -np.inf).all()
    assert np.isnan(ceiling(short, 5)).all()
    constant = r_over_ceiling(np.zeros_like(signal), repeats.mean(axis=0), repeats)
    np.testing.assert_array_equal(constant[:, 0], 0)


def test_combined_estimates_leave_out_what_is_unknown():
    a = Estimate(np.array([1.0, np.nan]), np.array([0.0, np.nan]), np.array([2.0, np.nan]))
    b = Estimate(np.array([3.0, 5.0]), np.array([2.0, 4.0]), np.array([4.0, 6.0]))
    combined = combine([a, b])
    np.testing.assert_allclose(combined.value, [2, 5])
    np.testing.assert_allclose(combined.hi - combined.value, [np.sqrt(2) / 2, 1])
    assert np.isnan(combine([a, a]).value[1])
