"""NIfTI runs: the voxels of the mask, and what is said of bad files."""

import tracemalloc

import nibabel
import numpy as np
import pytest

from pipeline.readers.formats import open_responses, shape_of
from pipeline.voxels.volume import Mask, to_vector, to_volume
from tests.pipeline.readers.test_readers import fault


@pytest.fixture
def run(tmp_path):
    """An asymmetric run, its mask, and where both are."""
    rng = np.random.default_rng(0)
    inside = rng.random((3, 4, 5)) > 0.4
    volumes = rng.standard_normal((3, 4, 5, 7)).astype(np.float32)
    affine = np.diag([2.0, 2.0, 3.0, 1.0])
    mask = nibabel.Nifti1Image(inside.astype(np.uint8), affine)
    img = nibabel.Nifti1Image(volumes, affine)
    img.header.set_zooms((2, 2, 3, 1.5))
    img.header.set_xyzt_units("mm", "sec")
    nibabel.save(img, tmp_path / "run.nii.gz")
    return tmp_path / "run.nii.gz", mask, volumes, inside


@pytest.mark.parametrize("order", ["xyz", "zyx"])
def test_a_nifti_run_gives_the_voxels_of_the_mask(run, order):
    path, img, volumes, inside = run
    options = {"mask": Mask(img, order), "tr": 1.5}
    expected = volumes[inside] if order == "xyz" else volumes.transpose(2, 1, 0, 3)[inside.T]
    with open_responses(path, options) as read:
        np.testing.assert_array_equal(read, expected.T)
    assert shape_of(path, options) == (7, inside.sum())


def damage_tr(img):
    img.header.set_zooms((2, 2, 3, 2.0))
    return img


def damage_units(img):
    img.header.set_xyzt_units("mm", "msec")
    return img


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (lambda i: nibabel.Nifti1Image(i.dataobj[..., 0], i.affine), "3 dimensions"),
        (lambda i: nibabel.Nifti1Image(i.dataobj[:2], i.affine), "the mask (3, 4, 5)"),
        (lambda i: nibabel.Nifti1Image(i.dataobj[:], np.eye(4)), "affines"),
        (damage_tr, "repetition time is 2 s"),
        (damage_units, "repetition time is 0.0015 s"),
    ],
    ids=["3-D", "shape", "affine", "tr", "units"],
)
def test_faults_of_a_nifti_run(run, damage, what):
    path, img, _, _ = run
    nibabel.save(damage(nibabel.load(path)), path.with_name("bad.nii"))

    def read():
        with open_responses(path.with_name("bad.nii"), {"mask": Mask(img), "tr": 1.5}):
            pass

    assert what in fault(read).what


def test_a_nifti_run_that_is_cut_off_or_has_no_mask(run):
    path, img, _, _ = run

    def read(mask):
        with open_responses(path, {"mask": mask, "tr": 1.5}) as values:
            values[:]

    assert "needs a mask" in fault(lambda: read(None)).what
    path.write_bytes(path.read_bytes()[:-200])
    assert "truncated" in fault(lambda: read(Mask(img))).what


def peak(work):
    """Most bytes that Python and NumPy held at a time."""
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


@pytest.mark.parametrize("name", ["run.nii", "run.nii.gz"])
def test_a_run_takes_no_more_memory_than_its_voxels(name, tmp_path):
    """However many volumes of however much air there are, and whatever the numbers are kept in."""
    inside = np.zeros((40, 40, 40), np.uint8)
    inside[10:12, 20, 30] = 1
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    volumes = np.arange(100, dtype=np.int16) * np.ones((40, 40, 40, 1), np.int16)
    img = nibabel.Nifti1Image(volumes, affine)
    img.header.set_slope_inter(0.5, 1.0)
    nibabel.save(img, tmp_path / name)
    mask = Mask(nibabel.Nifti1Image(inside, affine))
    read = []

    def work():
        with open_responses(tmp_path / name, {"mask": mask}) as values:
            read.append(np.array(values))

    assert peak(work) < volumes.nbytes / 5
    np.testing.assert_allclose(read[0], np.arange(100)[:, None] * 0.5 * [1, 1] + 1)


def test_a_run_is_read_in_parts(run):
    path, img, volumes, inside = run
    with open_responses(path, {"mask": Mask(img)}) as values:
        np.testing.assert_array_equal(values[2:5, 1:4], volumes[inside].T[2:5, 1:4])
        np.testing.assert_array_equal(values[1:], volumes[inside].T[1:])


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_nifti_2_is_read_as_nifti_1_is(run, ending):
    path, img, volumes, inside = run
    second = nibabel.Nifti2Image(volumes, img.affine)
    second.header.set_zooms((2, 2, 3, 1.5))
    nibabel.save(second, path.with_name(f"second{ending}"))
    nibabel.save(nibabel.Nifti2Image(np.uint8(inside), img.affine), path.with_name("mask.nii"))
    mask = Mask.from_file(path.with_name("mask.nii"))
    with open_responses(path.with_name(f"second{ending}"), {"mask": mask, "tr": 1.5}) as read:
        np.testing.assert_array_equal(read, volumes[inside].T)
    values = np.arange(mask.n_voxels, dtype=np.float32)
    np.testing.assert_array_equal(to_vector(to_volume(values, mask), mask), values)


@pytest.mark.parametrize("is_mask", [True, False])
def test_cifti_that_is_no_series_is_called_what_it_is(run, is_mask):
    path, _, _, inside = run
    axes = nibabel.cifti2.SeriesAxis(0, 1.5, 7), nibabel.cifti2.BrainModelAxis.from_mask(inside)
    values = np.zeros((7, inside.sum()), np.float32)
    cifti = path.with_name("run.nii")
    nibabel.Cifti2Image(values, axes).to_filename(cifti)

    def read():
        if is_mask:
            return Mask.from_file(cifti)
        with open_responses(cifti, {"mask": None, "tr": 1.5}):
            return None

    problem = fault(read)
    assert "a CIFTI file" in problem.what
    assert "cifti-separate" in problem.remedy
