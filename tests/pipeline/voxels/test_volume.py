"""Voxel vectors go into the brain and back, whichever way the vector runs."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel.affines import apply_affine

from pipeline.core.errors import ProblemError
from pipeline.voxels.convert import main
from pipeline.voxels.volume import Mask, to_vector, to_volume

AFFINE = np.array([[-3.0, 0, 0, 40], [0, 2.5, 0, -60], [0, 0, 4, -20], [0, 0, 0, 1]])


def l_shape() -> np.ndarray:
    """No two axes alike, no mirror symmetry, an interior hole: every wrong order shows."""
    inside = np.zeros((5, 7, 4), dtype=np.uint8)
    inside[1, 1:6, 1] = 1
    inside[1:4, 1, 1] = 1
    inside[1, 1, 1:3] = 1
    inside[3, 4, 2] = 1
    return inside


def mask_of(order: str, inside: np.ndarray | None = None) -> Mask:
    data = l_shape() if inside is None else inside
    return Mask(nib.Nifti1Image(data, AFFINE), order)


@pytest.mark.parametrize("order", ["xyz", "zyx"])
def test_round_trip_keeps_values_and_affine(order):
    mask = mask_of(order)
    values = np.arange(1.0, mask.n_voxels + 1)
    img = to_volume(values, mask)
    assert img.shape == (5, 7, 4)
    np.testing.assert_array_equal(img.affine, AFFINE)
    np.testing.assert_array_equal(to_vector(img, mask), values)
    assert np.isnan(img.get_fdata()[l_shape() == 0]).all()


def test_orders_are_those_of_nilearn_and_pycortex():
    volume = np.random.default_rng(0).standard_normal((5, 7, 4)).astype(np.float32)
    inside = l_shape() > 0
    nilearn_vector = volume[inside]
    volume_zyx, mask_zyx = volume.T, inside.T
    pycortex_vector = volume_zyx[mask_zyx]
    expected = np.where(inside, volume, np.nan)
    assert not np.array_equal(nilearn_vector, pycortex_vector)
    for order, vector in [("xyz", nilearn_vector), ("zyx", pycortex_vector)]:
        np.testing.assert_array_equal(to_volume(vector, mask_of(order)).get_fdata(), expected)


def test_swapped_order_is_not_the_same_volume():
    values = np.arange(1.0, mask_of("xyz").n_voxels + 1)
    xyz, zyx = (to_volume(values, mask_of(order), fill=0).get_fdata() for order in ("xyz", "zyx"))
    assert (xyz != zyx).any()


@pytest.mark.parametrize("order", ["xyz", "zyx"])
def test_values_lie_at_known_world_coordinates(order):
    mask = mask_of(order)
    world = apply_affine(AFFINE, mask.voxels)
    img = to_volume(world @ [1, 100, 10000], mask)  # a value that tells its place
    for i, j, k in [(1, 5, 1), (3, 1, 1), (3, 4, 2)]:
        x, y, z = 40 - 3 * i, -60 + 2.5 * j, -20 + 4 * k
        assert img.get_fdata()[i, j, k] == pytest.approx(x + 100 * y + 10000 * z)


def test_nan_inside_and_fill_outside_are_kept_apart():
    mask = mask_of("xyz")
    values = np.ones(mask.n_voxels)
    values[2] = np.nan
    data = to_volume(values, mask, fill=0).get_fdata()
    assert np.isnan(data).sum() == 1
    assert np.isnan(data[tuple(mask.voxels[2])])
    assert (data[l_shape() == 0] == 0).all()


def test_wrong_number_of_voxels_is_an_input_error():
    mask = mask_of("xyz")
    with pytest.raises(ProblemError, match=rf"mask has {mask.n_voxels} voxels, the data 3"):
        to_volume(np.ones(3), mask)
    with pytest.raises(ProblemError, match="shape"):
        to_volume(np.ones((2, mask.n_voxels)), mask)


def test_image_on_another_grid_is_an_input_error():
    mask = mask_of("xyz")
    with pytest.raises(ProblemError, match="shape"):
        to_vector(nib.Nifti1Image(np.ones((7, 5, 4)), AFFINE), mask)
    with pytest.raises(ProblemError, match="affine"):
        to_vector(nib.Nifti1Image(np.ones((5, 7, 4)), np.eye(4)), mask)


def test_mask_from_config_fills_in_the_subject(tmp_path):
    nib.save(nib.Nifti1Image(l_shape(), AFFINE), tmp_path / "S2_mask.nii.gz")
    config = {"path": str(tmp_path / "{subject}_mask.nii.gz"), "order": "zyx", "space": "MNI"}
    mask = Mask.from_config(config, "S2")
    assert (mask.order, mask.space, mask.n_voxels) == ("zyx", "MNI", int(l_shape().sum()))
    with pytest.raises(ProblemError, match="S1_mask"):
        Mask.from_config(config, "S1")


@pytest.mark.parametrize(
    ("inside", "order", "message"),
    [
        (np.zeros((3, 4, 5), np.uint8), "xyz", "no voxel"),
        (np.ones((3, 4, 5, 2), np.uint8), "xyz", "not 3-D"),
        (np.ones((3, 4, 5), np.uint8), "yxz", "unknown order"),
    ],
)
def test_bad_masks(inside, order, message):
    with pytest.raises(ProblemError, match=message):
        mask_of(order, inside)


def test_annex_pointer_is_named(tmp_path):
    pointer = tmp_path / "mask.nii.gz"
    pointer.write_text("/annex/objects/MD5E-s1234--0123456789abcdef.nii.gz\n")
    with pytest.raises(ProblemError, match="datalad get"):
        Mask.from_file(pointer)
    link = tmp_path / "link.nii.gz"
    link.symlink_to(".git/annex/objects/nothing")
    with pytest.raises(ProblemError, match="datalad get"):
        Mask.from_file(link)


@pytest.fixture
def mask_file(tmp_path):
    path = tmp_path / "mask.nii.gz"
    nib.save(nib.Nifti1Image(l_shape(), AFFINE), path)
    return path


@pytest.mark.parametrize("order", ["xyz", "zyx"])
def test_command_line_there_and_back(tmp_path, mask_file, order):
    values = np.linspace(-1, 1, mask_of(order).n_voxels, dtype=np.float32)
    pd.DataFrame({"voxel": np.arange(len(values)), "r": values}).to_csv(
        tmp_path / "in.tsv", sep="\t", index=False
    )
    options = ["--mask", str(mask_file), "--order", order]
    volume, back = tmp_path / "map.nii.gz", tmp_path / "out.npy"
    main([*options, "--column", "r", str(tmp_path / "in.tsv"), str(volume)])
    main([*options, str(volume), str(back)])
    np.testing.assert_allclose(np.load(back), values, atol=1e-6)
    main([*options, str(back), str(tmp_path / "again.nii.gz")])
    assert (tmp_path / "again.nii.gz").read_bytes() == volume.read_bytes()


@pytest.mark.parametrize(
    ("content", "target", "message"),
    [
        ("voxel\tr\n0\t1\n", "o.nii.gz", "choose one with --column"),
        ("r\n1\n2\n", "o.nii.gz", "voxels, the data 2"),
        ("r\nx\ny\n", "o.nii.gz", "no such column of numbers"),
        ("r\n1\n", "o.npy", "cannot turn"),
    ],
)
def test_command_line_errors(tmp_path, mask_file, content, target, message):
    source = tmp_path / "in.tsv"
    source.write_text(content)
    with pytest.raises(SystemExit, match=message):
        main(["--mask", str(mask_file), "--order", "xyz", str(source), str(tmp_path / target)])
    assert not (tmp_path / target).exists()


@pytest.mark.parametrize(
    ("outside", "inside", "threshold"),
    [(0, 0.62, 0.5), (-1, 1, 0), (np.nan, 1, 0), (0, 3, 2), (0.2, 0.9, 0.5)],
)
def test_above_the_threshold_is_inside(outside, inside, threshold):
    values = np.where(l_shape() > 0, np.float32(inside), np.float32(outside))
    values[0, 0, :2] = np.float32([outside, threshold])  # at the threshold is outside
    mask = Mask(nib.Nifti1Image(values, AFFINE), threshold=threshold)
    np.testing.assert_array_equal(mask.voxels, np.argwhere(l_shape()))


@pytest.mark.parametrize("values", [[0, 0.4, 1], [-1, 1, 1], [np.nan, 1, 1], [0, 1, 2], [1, 2, 2]])
def test_what_is_not_binary_is_refused_with_the_remedy(values):
    image = nib.Nifti1Image(np.float32(values).reshape(3, 1, 1), AFFINE)
    with pytest.raises(ProblemError, match=r"mask\.threshold"):
        Mask(image)


@pytest.mark.parametrize("values", [[0, 1, 1], [0, 255, 0], [1, 1, 1], [0, -1, 0]])
def test_one_number_beside_0_is_inside(values):
    assert Mask(
        nib.Nifti1Image(np.int16(values).reshape(3, 1, 1), AFFINE)
    ).n_voxels == np.count_nonzero(values)
