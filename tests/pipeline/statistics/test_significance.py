"""Permutation tests: against loops and scipy, calibrated where nothing is there, powerful else.

Voxels of the calibration tests are independent of each other, so that the number of those below a
level is binomial and its exact bounds hold.
"""

from itertools import product

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from praatio.textgrid import openTextgrid
from scipy.fft import irfft, rfft
from scipy.signal import lfilter
from scipy.stats import binom, false_discovery_control, genpareto, norm

from pipeline.core.errors import ProblemError
from pipeline.core.series import pearson
from pipeline.dataset.grid import Grid
from pipeline.statistics.blocks import (
    block_starts,
    draw_orders,
    draw_swaps,
    order_null,
    swap_null,
)
from pipeline.statistics.permutation import Tally, fdr, pareto_p
from pipeline.statistics.shifts import draw_shifts, shift_null, shifted_r, with_moments_of_all

LEVELS = (0.05, 0.01)


def smooth(rng, n_rows, n_voxels, phi=0.8):
    """Independent AR(1) series of unit variance."""
    noise = rng.standard_normal((n_rows + 60, n_voxels)) * np.sqrt(1 - phi**2)
    return lfilter([1.0], [1.0, -phi], noise, axis=0)[60:]


def responses_like(region, rng, n_rows, n_voxels):
    """White noise (D), or half of it and half AR(1) as in the simulated subject's region C."""
    white = rng.standard_normal((n_rows, n_voxels))
    return white if region == "D" else white + smooth(rng, n_rows, n_voxels, 0.85)


def p_of(observed, null, **options):
    tally = Tally(len(null), len(observed), **options)
    tally.add(slice(0, len(observed)), observed, null)
    return tally.result().p


def within_exact_bounds(p, level, inflation=1.0):
    """Whether so many p <= level are what a rate of `level` (or up to `inflation` times) gives."""
    low, high = binom.ppf([0.0005, 0.9995], len(p), [level, inflation * level])
    return low <= (p <= level).sum() <= high


# Against loops and known answers


def test_shifted_r_is_the_correlation_with_the_rolled_prediction():
    rng = np.random.default_rng(0)
    predicted, measured = rng.standard_normal((2, 41, 5))
    r = shifted_r(predicted, measured)
    for shift in range(41):
        expected = pearson(np.roll(predicted, shift, axis=0), measured)
        np.testing.assert_allclose(r[shift], expected, atol=1e-6)


def test_correlations_at_all_shifts_have_mean_zero_and_the_rest_gets_their_moments():
    rng = np.random.default_rng(1)
    r = shifted_r(smooth(rng, 90, 6), smooth(rng, 90, 6))
    np.testing.assert_allclose(r.mean(axis=0), 0, atol=1e-7)
    far = with_moments_of_all(r, 20)[20:71]
    np.testing.assert_allclose(far.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(far.std(axis=0), r.std(axis=0), rtol=1e-5)


def test_a_null_is_the_mean_over_stories_each_shifted_by_itself():
    rng = np.random.default_rng(2)
    stories = [rng.standard_normal((2, n, 3)) for n in (50, 64)]
    shifts = draw_shifts([50, 64], 10, 20, rng)
    observed, null = shift_null(stories, shifts, 10)
    np.testing.assert_allclose(observed, np.mean([pearson(*s) for s in stories], axis=0), atol=1e-6)
    for row, pair in zip(null, shifts, strict=True):
        each = [
            with_moments_of_all(shifted_r(*s), 10)[k] for s, k in zip(stories, pair, strict=True)
        ]
        np.testing.assert_allclose(row, np.mean(each, axis=0), atol=1e-6)


def test_voxels_constant_in_one_story_are_scored_on_the_other():
    rng = np.random.default_rng(3)
    stories = [rng.standard_normal((2, n, 3)) for n in (50, 64)]
    stories[0][1, :, 1] = 7
    stories[0][1, :, 2] = stories[1][1, :, 2] = 0
    observed, null = shift_null(stories, draw_shifts([50, 64], 10, 20, rng), 10)
    assert observed[1] == pytest.approx(pearson(*stories[1])[1], abs=1e-6)
    assert np.isnan(observed[2])
    p = p_of(observed, null)
    assert np.isnan(p[2])
    assert not np.isnan(p[:2]).any()


@given(
    n_rows=st.lists(st.integers(8, 40), min_size=1, max_size=3),
    min_shift=st.integers(1, 4),
    n=st.integers(1, 200),
)
@settings(max_examples=50, deadline=None)
def test_shifts_are_far_and_no_two_combinations_are_equal(n_rows, min_shift, n):
    shifts = draw_shifts(n_rows, min_shift, n, np.random.default_rng(0))
    possible = np.prod([rows - 2 * min_shift + 1 for rows in n_rows])
    assert len(shifts) == min(n, possible)
    assert len(np.unique(shifts, axis=0)) == len(shifts)
    assert (shifts >= min_shift).all()
    assert (shifts <= np.array(n_rows) - min_shift).all()


def test_a_story_too_short_to_shift_is_an_error():
    with pytest.raises(ProblemError, match="lower it to at most 15"):
        draw_shifts([100, 30], 20, 10, np.random.default_rng(0))


@given(n_rows=st.integers(1, 300), length=st.integers(1, 60))
def test_blocks_are_nearly_equal_and_long_enough(n_rows, length):
    sizes = np.diff([*block_starts(n_rows, length), n_rows])
    assert sizes.sum() == n_rows
    assert sizes.max() - sizes.min() <= 1
    assert len(sizes) == 1 or sizes.min() >= length


def test_orders_keep_blocks_together():
    (orders,) = draw_orders([47], 10, 5, np.random.default_rng(0))
    starts = block_starts(47, 10)
    for order in orders:
        assert sorted(order) == list(range(47))
        breaks = 1 + np.flatnonzero(np.diff(order) != 1)
        assert {0, *order[breaks]} <= set(starts) | {0}


def test_few_orders_are_all_taken_once_without_the_observed_one():
    """Two blocks and three: 2 * 6 orders, of which one is what was measured."""
    two, three = draw_orders([20, 35], 10, 100, np.random.default_rng(0))
    assert len(two) == len(three) == 11
    both = np.concatenate([two, three], axis=1)
    assert len(np.unique(both, axis=0)) == 11
    assert (np.diff(both, axis=1) != 1).sum(axis=1).min() > 1  # besides the border of the stories


def test_a_test_without_any_permutation_gives_one():
    rng = np.random.default_rng(0)
    a, b, y = rng.standard_normal((3, 15, 4))
    p = p_of(*order_null([(a, y)], draw_orders([15], 10, 100, rng)))
    assert p.tolist() == [1.0] * 4
    p = p_of(*swap_null([(a, b, y)], draw_swaps([15], 10, 100, rng), 10), two_sided=True)
    assert p.tolist() == [1.0] * 4


def test_swaps_are_those_of_a_loop():
    """Standardised predictions exchanged block by block, then correlated."""
    rng = np.random.default_rng(4)
    stories = [rng.standard_normal((3, n, 4)) for n in (40, 55)]
    swaps = draw_swaps([40, 55], 10, 30, rng)
    observed, null = swap_null(stories, swaps, 10)
    np.testing.assert_allclose(
        observed, np.mean([pearson(a, y) - pearson(b, y) for a, b, y in stories], axis=0), atol=1e-6
    )
    for i in (0, 7, 29):
        each = []
        for (a, b, y), swap in zip(stories, swaps, strict=True):
            a, b = ((x - x.mean(axis=0)) / x.std(axis=0) for x in (a, b))
            sizes = np.diff([*block_starts(len(y), 10), len(y)])
            chosen = np.repeat(swap[i], sizes)[:, None]
            each.append(pearson(np.where(chosen, b, a), y) - pearson(np.where(chosen, a, b), y))
        np.testing.assert_allclose(null[i], np.mean(each, axis=0), atol=1e-5)


def test_all_swaps_of_few_blocks_give_the_exact_p():
    """Six blocks: 32 swaps that differ, the observed one among them."""
    rng = np.random.default_rng(5)
    story = rng.standard_normal((3, 60, 4))
    (swaps,) = draw_swaps([60], 10, 1000, rng)
    assert len(swaps) == 31
    assert len(np.unique(swaps, axis=0)) == 31
    assert swaps.any(axis=1).all()
    observed, null = swap_null([story], [swaps], 10)
    everything = np.array(list(product([False, True], repeat=6)))
    _, whole = swap_null([story], [everything], 10)
    exact = (np.abs(whole) >= np.abs(observed) - 1e-6).mean(axis=0)
    np.testing.assert_allclose(p_of(observed, null, two_sided=True), exact)


# From permutations to decisions


def test_p_counts_the_observed_arrangement_and_is_never_zero():
    """The authors' permutation test gave p = 0 (error 11)."""
    null = np.arange(99.0)[:, None] * np.ones(3) / 100
    np.testing.assert_allclose(p_of(np.array([5.0, 0.9, -1.0]), null), [0.01, 0.1, 1.0])


def test_blocks_of_voxels_change_nothing():
    rng = np.random.default_rng(6)
    observed, null = rng.standard_normal(20), rng.standard_normal((50, 20))
    observed[3] = np.nan
    whole, parts = Tally(50, 20, two_sided=True), Tally(50, 20, two_sided=True)
    whole.add(slice(0, 20), observed, null)
    for start in (0, 7, 14):
        voxels = slice(start, min(start + 7, 20))
        parts.add(voxels, observed[voxels], null[:, voxels])
    for name in ("p", "q", "p_fwer", "p_mean"):
        np.testing.assert_allclose(getattr(whole.result(), name), getattr(parts.result(), name))


def test_family_wise_p_is_against_the_largest_of_all_voxels():
    rng = np.random.default_rng(7)
    observed, null = rng.standard_normal(8), rng.standard_normal((99, 8))
    tally = Tally(99, 8)
    tally.add(slice(0, 8), observed, null)
    largest = null.max(axis=1)
    expected = [(1 + (largest >= value).sum()) / 100 for value in observed]
    np.testing.assert_allclose(tally.result().p_fwer, expected)
    p_mean = (1 + (null.mean(axis=1) >= observed.mean()).sum()) / 100
    assert tally.result().p_mean == pytest.approx(p_mean)


def test_q_values_are_over_the_voxels_that_have_a_p():
    p = np.array([0.01, np.nan, 0.04, 0.03, 0.5])
    q = fdr(p)
    assert np.isnan(q[1])
    known = ~np.isnan(p)
    np.testing.assert_allclose(q[known], false_discovery_control(p[known]))
    assert np.isnan(fdr(np.full(2, np.nan))).all()


def test_the_pareto_tail_reaches_below_the_floor_and_errs_upwards():
    """Normal statistics: the true p is known. Counting stops at 1 / 1001."""
    null = np.random.default_rng(8).standard_normal((1000, 200))
    for truth in (1e-3, 1e-4, 1e-5):
        p = pareto_p(np.full(200, norm.isf(truth)), null)
        assert (p > 0).all()
        assert truth < np.median(p) < 5 * truth
    assert (pareto_p(np.full(200, 1e3), null) == 1e-2 / 1001).all()
    np.testing.assert_allclose(pareto_p(np.zeros(200), null), (1 + (null >= 0).sum(axis=0)) / 1001)


def test_the_pareto_tail_fits_a_heavy_one():
    null = genpareto.rvs(0.2, size=(2000, 300), random_state=9)  # so is the tail beyond any value
    for truth in (1e-3, 1e-4):
        p = pareto_p(np.full(300, genpareto.isf(truth, 0.2)), null)
        assert 0.5 * truth < np.median(p) < 2 * truth


# Calibration


@pytest.mark.parametrize("region", ["C", "D"])
@pytest.mark.parametrize("n_rows", [[220], [180, 200]], ids=["one story", "two stories"])
def test_shifts_have_their_nominal_rate(region, n_rows):
    rng = np.random.default_rng(10)
    stories = [(smooth(rng, n, 1500), responses_like(region, rng, n, 1500)) for n in n_rows]
    shifts = draw_shifts(n_rows, 20, 500, rng)
    p = p_of(*shift_null(stories, shifts, 20))
    assert all(within_exact_bounds(p, level) for level in LEVELS)


@pytest.mark.shared
def test_real_bold_predicted_by_features_of_its_words_after_phases_are_randomised(shared):
    """Words and BOLD are real, with their autocorrelations; that they belong together is not.

    Ten draws of the phases of each component, independent of each other.
    """
    root = shared / "realdata/ds003020-pcs/derivative"
    rng = np.random.default_rng(20)
    pairs = []
    for story in ("fromboyhoodtofatherhood", "onapproachtopluto", "wheretheressmoke"):
        with h5py.File(root / f"preprocessed_data/UTS03/{story}.hf5") as file:
            bold = np.tile(file["data"][:], (1, 10))
        words = openTextgrid(str(root / f"TextGrids/{story}.TextGrid"), False).tiers[1].entries
        onsets = np.array([word.start for word in words])
        rows = Grid(n_scanned=len(bold) + 20).row_of(onsets)
        rate = np.bincount(rows[(rows >= 0) & (rows < len(bold))], minlength=len(bold))
        delayed = lfilter([0, 1, 2, 2, 1], [1.0], rate)[:, None]
        pairs.append((np.repeat(delayed, bold.shape[1], axis=1), phase_randomised(bold, rng)))
    shifts = draw_shifts([len(y) for _, y in pairs], 20, 500, rng)
    p = p_of(*shift_null(pairs, shifts, 20))
    assert len(p) == 1000
    assert all(within_exact_bounds(p, level) for level in LEVELS)


def phase_randomised(series, rng):
    """Series of the same spectra whose phases are drawn at random, each column by itself."""
    spectrum = rfft(series - series.mean(axis=0), axis=0)
    phases = np.exp(2j * np.pi * rng.random(spectrum.shape))
    return irfft(np.abs(spectrum) * phases, n=len(series), axis=0)


def test_without_the_moments_of_all_shifts_too_many_are_significant():
    rng = np.random.default_rng(11)
    r = shifted_r(smooth(rng, 220, 1500), responses_like("C", rng, 220, 1500))
    p = p_of(r[0], r[20:201])
    assert (p <= 0.05).mean() > 0.06
    assert not within_exact_bounds(p, 0.05)


@pytest.mark.parametrize("region", ["C", "D"])
def test_permuted_blocks_have_nearly_their_nominal_rate(region):
    """Seams between blocks break autocorrelation: in C somewhat too many are significant."""
    rng = np.random.default_rng(12)
    stories = [(smooth(rng, n, 1000), responses_like(region, rng, n, 1000)) for n in (180, 200)]
    p = p_of(*order_null(stories, draw_orders([180, 200], 20, 200, rng)))
    assert within_exact_bounds(p, 0.05, inflation=1.3 if region == "C" else 1.0)


@pytest.mark.parametrize("region", ["C", "D"])
def test_swaps_of_two_models_equally_good_have_nearly_their_nominal_rate(region):
    """Two noisy views of what drives the response."""
    rng = np.random.default_rng(13)
    stories = []
    for n in (180, 200):
        signal = smooth(rng, n, 1000)
        views = [signal + smooth(rng, n, 1000) for _ in range(2)]
        stories.append((*views, signal + responses_like(region, rng, n, 1000)))
    swaps = draw_swaps([180, 200], 20, 500, rng)
    p = p_of(*swap_null(stories, swaps, 20), two_sided=True)
    assert within_exact_bounds(p, 0.05, inflation=1.4 if region == "C" else 1.1)


def test_a_planted_effect_is_found_as_often_as_theory_says():
    """Power of a one-sided test of r, whose null spread follows from both autocorrelations."""
    rng = np.random.default_rng(14)
    n_rows, n_voxels, phi, rho = 400, 1000, 0.8, 0.25
    predicted = smooth(rng, n_rows, n_voxels, phi)
    noise = rng.standard_normal((n_rows, n_voxels))
    measured = rho * predicted + np.sqrt(1 - rho**2) * noise
    p = p_of(*shift_null([(predicted, measured)], draw_shifts([n_rows], 20, 1000, rng), 20))
    # Null: the response's autocorrelation is rho^2 phi^k beyond lag 0, the prediction's phi^k.
    null = np.sqrt((1 + 2 * rho**2 * phi**2 / (1 - phi**2)) / n_rows)
    alternative = np.sqrt((1 - rho**2) / n_rows)
    power = norm.sf((norm.isf(0.05) * null - rho) / alternative)
    assert power > 0.95
    assert (p <= 0.05).mean() == pytest.approx(power, abs=0.03)
    weak = 0.1
    measured = weak * predicted + np.sqrt(1 - weak**2) * noise
    p = p_of(*shift_null([(predicted, measured)], draw_shifts([n_rows], 20, 1000, rng), 20))
    expected = norm.sf(norm.isf(0.05) - weak * np.sqrt(n_rows))
    assert (p <= 0.05).mean() == pytest.approx(expected, abs=0.06)
