"""Every voxel has its own pixel, and a passage is what was heard when most was predicted."""

import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine

from pipeline.core.series import delay
from pipeline.matching.matches import NO_MATCH, Matches
from pipeline.tuning.mosaic import BARE, MOST_SLICES, Mosaic
from pipeline.tuning.passages import Matcher, Passage, contributing, passages
from pipeline.tuning.places import MOST_REGIONS, Places
from pipeline.tuning.subject import ALL, evenly, means
from pipeline.voxels.volume import Mask


@pytest.fixture(scope="module")
def mask():
    """An ellipsoid with a hole, stored with x running to the left and y and z exchanged."""
    index = np.indices((12, 20, 14)).reshape(3, -1)
    centre = np.array([[5.5], [9.5], [6.5]])
    inside = np.square((index - centre) / centre).sum(axis=0) < 0.9
    volume = (inside & ~((index[0] > 8) & (index[1] > 12))).reshape(12, 20, 14)
    affine = np.array([[-3.0, 0, 0, 18], [0, 0, 2, -14], [0, 4, 0, -40], [0, 0, 0, 1]])
    return Mask(nib.Nifti1Image(volume.astype(np.uint8), affine), "zyx", "native")


def test_every_voxel_of_the_slices_has_a_pixel_and_left_is_left(mask):
    mosaic = Mosaic.of(mask)
    at, world = mosaic.at[mosaic.shown], apply_affine(mask.img.affine, mask.voxels)[mosaic.shown]
    assert len(np.unique(at, axis=0)) == len(at)
    assert (at >= 0).all() and (at < mosaic.shape).all()
    heights = np.unique(world[:, 2])
    assert 5 < len(heights) <= MOST_SLICES
    for height in heights:
        here = world[:, 2] == height
        assert np.corrcoef(at[here, 1], world[here, 0])[0, 1] > 0.999  # right is right
        assert np.corrcoef(at[here, 0], world[here, 1])[0, 1] < -0.999  # front is up
    assert mosaic.aspect == pytest.approx(2 / 3)  # y is 2 mm, x 3 mm


def test_pixels_have_their_voxels_colours(mask):
    mosaic = Mosaic.of(mask)
    colours = np.random.default_rng(0).random((3, mask.n_voxels))
    colours[:, ::2] = np.nan
    picture = mosaic.paint(colours)
    row, column = mosaic.at[mosaic.shown].T
    expected = np.where(np.isnan(colours), BARE, colours)[:, mosaic.shown].T
    np.testing.assert_array_equal(picture[row, column], expected)
    assert (picture.any(axis=2)).sum() == mosaic.shown.sum()


def test_means_of_places_and_even_choices():
    values = np.random.default_rng(1).standard_normal((5, 9)).astype(np.float32)
    found = values @ means([np.array([1, 4, 8]), np.array([2])], 9)
    np.testing.assert_allclose(found[:, 0], values[:, [1, 4, 8]].mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(found[:, 1], values[:, 2], atol=1e-6)
    assert np.isnan(values @ means([np.array([], int)], 9)).all()
    assert evenly(4, 10).tolist() == [0, 1, 2, 3]
    assert len(evenly(1000, 10)) == 10 and evenly(1000, 10)[[0, -1]].tolist() == [0, 999]


def test_the_largest_regions_of_every_parcellation_can_be_chosen():
    regions = {ALL: np.arange(300)}
    regions |= {f"fine: {i}": np.arange(i) for i in range(1, 31)}
    regions["coarse: a"] = np.arange(2)
    names = [list(regions)[i] for i in Places(np.arange(300), regions, np.arange(0)).shown()]
    assert names == [ALL, *(f"fine: {i}" for i in range(31 - MOST_REGIONS, 31)), "coarse: a"]


def test_passages_are_the_largest_predictions_that_hear_other_words():
    first, second = np.zeros((40, 2)), np.zeros((30, 2))
    first[[10, 12, 30], 0] = [5.0, 4.0, 3.0]
    second[7, 0] = 4.5
    measured = [first[::-1].copy(), second]
    one, flat = passages([first, second], measured, apart=5, n=3)
    assert [(p.story, p.row) for p in one] == [(0, 10), (1, 7), (0, 30)]
    whole = np.concatenate([first, second])[:, 0]
    assert one[0].predicted == pytest.approx((5 - whole.mean()) / whole.std(), rel=1e-5)
    assert one[1].measured == pytest.approx(one[1].predicted, rel=0.2)
    assert flat == []  # nothing is predicted there


def test_the_match_named_is_the_one_that_adds_most():
    """Of the delays' parts, which sum to what the band predicts, the largest with a match."""
    rng, delays = np.random.default_rng(2), [1, 2, 3]
    values = {"s": rng.standard_normal((20, 4))}
    weights = rng.standard_normal((3, 4, 2))
    to = np.where(np.arange(20) % 2, np.arange(20) - 5, NO_MATCH)  # even rows have none
    matches = {"s": Matches.hard(np.maximum(to, NO_MATCH), np.ones(20))}
    matcher = Matcher("gim", values, delays, matches, weights)
    predicted = delay(values["s"], delays) @ weights[:, :, 1].reshape(-1)
    for row in range(6, 20):
        parts = {d: values["s"][row - d] @ weights[k, :, 1] for k, d in enumerate(delays)}
        assert sum(parts.values()) == pytest.approx(predicted[row])
        matched = {d: part for d, part in parts.items() if to[row - d] >= 0 and part > 0}
        found = contributing(Passage(0, row, 1.0, 1.0), 1, [matcher], ["s"], sd=2.0)
        if not matched:
            assert found is None
            continue
        best = max(matched, key=matched.get)
        assert found[:3] == (0, row - best, to[row - best])
        assert found[3] == pytest.approx(parts[best] / 2)
