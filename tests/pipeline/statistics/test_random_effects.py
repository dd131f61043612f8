"""Means over subjects and sign flips, against SciPy, nilearn and every flip there is."""

from itertools import product

import numpy as np
import pytest
from scipy import ndimage, stats

from pipeline.maps.figures import cheap_collection
from pipeline.statistics.clusters import cluster_sizes, label_clusters
from pipeline.statistics.random_effects import random_effects
from pipeline.statistics.sign_flips import FEWEST, FORMING, draw_flips, sign_flip_test
from pipeline.voxels.adjacency import volume_edges
from tests.helpers.planted_maps import SHAPE, grid, planted


def test_the_interval_is_students_and_leaves_out_who_has_no_value():
    rng = np.random.default_rng(0)
    values = rng.normal(0.1, 0.2, (9, 4))
    values[[2, 5], 1] = np.nan
    values[:-1, 2] = np.nan
    values[:, 3] = np.nan
    found = random_effects(values)
    assert found.n.tolist() == [9, 7, 1, 0]
    for unit in (0, 1):
        own = values[~np.isnan(values[:, unit]), unit]
        expected = stats.ttest_1samp(own, 0).confidence_interval(0.95)
        assert found.mean[unit] == pytest.approx(own.mean())
        assert found.sd[unit] == pytest.approx(own.std(ddof=1))
        assert (found.lo[unit], found.hi[unit]) == pytest.approx((expected.low, expected.high))
    assert found.mean[2] == values[-1, 2]
    assert np.isnan([found.lo[2], found.hi[2], found.sd[2], found.mean[3], found.lo[3]]).all()


def test_subjects_who_do_not_differ_have_no_t():
    """Also where the mean of equal values is not quite theirs."""
    values = np.tile(np.random.default_rng(0).standard_normal(40), (6, 1))
    found = random_effects(values)
    assert np.isnan(found.t).all()
    np.testing.assert_allclose([found.lo, found.hi], [values[0]] * 2)


def test_all_flips_of_few_subjects_give_the_exact_p():
    """Brute force over all 2^7, by SciPy's t."""
    rng = np.random.default_rng(1)
    values = rng.normal([0, 0.5, 1, 1.5, -2], 1, (7, 5))
    flips = draw_flips(7, 1000, rng)
    assert flips.shape == (63, 7)
    assert len(np.unique(flips, axis=0)) == 63
    found = sign_flip_test(values, flips)
    signs = np.array(list(product([-1, 1], repeat=7)))
    null = np.abs([stats.ttest_1samp(s[:, None] * values, 0).statistic for s in signs])
    observed = np.abs(stats.ttest_1samp(values, 0).statistic)
    np.testing.assert_allclose(found.p, (null >= observed - 1e-9).mean(axis=0))
    largest = null.max(axis=1)[:, None]
    np.testing.assert_allclose(found.p_fwer, (largest >= observed - 1e-9).mean(axis=0))
    np.testing.assert_allclose(found.q, stats.false_discovery_control(found.p))


def test_what_few_subjects_have_does_not_hide_what_all_have():
    """Against every flip: units count alike in the family, however many subjects have them."""
    rng = np.random.default_rng(4)
    values = rng.standard_normal((12, 21))
    values[:, 0] += 1.2
    values[6:, 1:] = np.nan
    found = sign_flip_test(values, draw_flips(12, 5000, rng))
    signs = np.array(list(product([-1, 1], repeat=12)))
    known = np.nan_to_num(values)
    null = np.abs(signs @ known) / np.sqrt((known**2).sum(axis=0))
    observed = np.abs(known.sum(axis=0)) / np.sqrt((known**2).sum(axis=0))
    np.testing.assert_allclose((null**2).mean(axis=0), 1)
    expected = (null.max(axis=1)[:, None] >= observed - 1e-6).mean(axis=0)
    np.testing.assert_allclose(found.p_fwer, expected)
    assert found.p_fwer[0] < 0.05


def test_random_flips_are_drawn_where_there_are_more_than_wanted():
    rng = np.random.default_rng(0)
    flips = draw_flips(12, 500, rng)
    assert flips.shape == (500, 12)
    assert set(np.unique(flips)) == {-1, 1}
    values = rng.normal(0.8, 1, (12, 3))
    few, all_ = sign_flip_test(values, flips), sign_flip_test(values, draw_flips(12, 5000, rng))
    assert all_.n_null == 2047
    np.testing.assert_allclose(few.p, all_.p, atol=0.03)


def test_no_claim_of_fewer_than_six():
    assert 2 / 2**FEWEST < 0.05 < 2 / 2 ** (FEWEST - 1)
    values = np.random.default_rng(0).normal(1, 0.1, (FEWEST, 3))
    values[0, 1] = np.nan
    found = sign_flip_test(values, draw_flips(FEWEST, 1000, np.random.default_rng(0)))
    assert found.p[[0, 2]] == pytest.approx([2 / 2**FEWEST] * 2)
    assert np.isnan([found.p[1], found.q[1], found.p_fwer[1]]).all()


def test_models_that_never_differ_are_not_significant():
    found = sign_flip_test(np.zeros((8, 2)), draw_flips(8, 1000, np.random.default_rng(0)))
    assert found.p.tolist() == found.p_fwer.tolist() == [1, 1]


def test_clusters_are_those_of_scipy_and_sides_do_not_mix():
    rng = np.random.default_rng(3)
    mask, edges = grid()
    volume = rng.integers(-1, 2, SHAPE)
    side = volume.ravel()
    labels = label_clusters(side, edges)
    for sign in (1, -1):
        expected, n = ndimage.label(volume == sign)
        own = np.where(side == sign, labels, 0)
        assert len(np.unique(own[own > 0])) == n
        sizes = np.where(side == sign, cluster_sizes(labels), 0)
        counted = np.bincount(expected.ravel())
        np.testing.assert_array_equal(sizes, np.where(side == sign, counted[expected.ravel()], 0))
    assert (labels[side == 0] == 0).all()
    assert mask.n_voxels == len(side)
    assert not cluster_sizes(label_clusters(np.zeros_like(side), edges)).any()


def test_cluster_p_on_a_volume_is_that_of_nilearn():
    """Sizes to the voxel; p by other random flips."""
    from nilearn.maskers import NiftiMasker
    from nilearn.mass_univariate import permuted_ols

    values, where = planted(n_subjects=12, seed=5)
    mask, edges = grid()
    flips = draw_flips(12, 999, np.random.default_rng(0))
    ours = sign_flip_test(values, flips, edges)
    masker = NiftiMasker(mask.img, standardize=None).fit()
    with cheap_collection():
        theirs = permuted_ols(np.ones((12, 1)), values, model_intercept=False, n_perm=999,
                              two_sided_test=True, random_state=0, masker=masker,
                              threshold=FORMING, output_type="dict")  # fmt: skip
    t = theirs["t"][0]
    np.testing.assert_allclose(t, stats.ttest_1samp(values, 0).statistic, rtol=1e-6)
    p_theirs = 10 ** -theirs["logp_max_size"][0]
    clustered = ours.p_cluster < 1
    side = np.sign(t) * (np.abs(t) > stats.t.isf(FORMING / 2, 11))
    sizes = cluster_sizes(label_clusters(side.astype(int), edges))
    np.testing.assert_array_equal(sizes, theirs["size"][0])
    assert clustered[where].mean() > 0.8
    np.testing.assert_array_equal(clustered, side != 0)
    np.testing.assert_allclose(ours.p_cluster[clustered], p_theirs[clustered], atol=0.02)
    np.testing.assert_allclose(ours.p_fwer, 10 ** -theirs["logp_max_t"][0], atol=0.05)
    assert ours.p_cluster[where].min() < 0.01


def test_voxels_without_a_value_join_no_clusters():
    values, where = planted(n_subjects=10, seed=2)
    _, edges = grid()
    values[0, where] = np.nan  # nine are left there
    values[1:6, where] = np.nan  # four
    found = sign_flip_test(values, draw_flips(10, 200, np.random.default_rng(0)), edges)
    assert np.isnan(found.p_cluster[where]).all()
    assert np.isfinite(found.p_cluster).sum() == (~where).sum()


def test_voxels_are_neighbours_where_they_share_a_face():
    mask, edges = grid(hole=True)
    assert np.abs(mask.voxels[edges[:, 0]] - mask.voxels[edges[:, 1]]).sum(axis=1).max() == 1
    inside = np.asarray(mask.img.dataobj) > 0
    n_pairs = sum(
        (inside & np.roll(inside, 1, axis))[tuple(slice(1 * (a == axis), None) for a in range(3))]
        .sum()
        for axis in range(3)
    )  # fmt: skip
    assert len(edges) == n_pairs == len(np.unique(np.sort(edges), axis=0))
    assert len(volume_edges(mask)) == n_pairs
