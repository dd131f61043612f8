"""Responses on the surface: pairs of GIFTI files, and CIFTI series."""

import nibabel as nib
import numpy as np
import pytest

from pipeline.core.errors import ProblemError
from pipeline.readers.formats import files_of, open_responses, shape_of, vertices_of
from tests.helpers import fmriprep

N = 6
RNG = np.random.default_rng(0)


def values_of(form):
    return RNG.standard_normal((N, fmriprep.N_VALUES[form])).astype(np.float32)


def write(folder, form, values, **options):
    name = f"sub-01_{fmriprep.FORMS[form]}"
    fmriprep.write_run(folder, name, values, form, **options)
    return folder / name.format(hemi="L")


def read(path, tr=fmriprep.TR):
    with open_responses(path, {"tr": tr, "mask": None}) as values:
        return np.array(values[:])


@pytest.mark.parametrize("form", ["surface", "cifti"])
def test_every_vertex_is_a_column(tmp_path, form):
    values = values_of(form)
    path = write(tmp_path, form, values)
    np.testing.assert_array_equal(read(path), values)
    assert shape_of(path, {"tr": fmriprep.TR}) == values.shape
    places = vertices_of(path)
    assert places.n_values == values.shape[1]
    back = places.sample(values[0])
    kept = fmriprep.N_VERTICES - 2 * (form == "cifti")
    both = np.concatenate([back[side][:kept] for side in ("left", "right")])
    np.testing.assert_array_equal(both, values[0, : 2 * kept])
    assert np.isnan(back["left"][kept:]).all()
    with open_responses(path, {"tr": fmriprep.TR}) as part:
        np.testing.assert_array_equal(part[1:3, 4:7], values[1:3, 4:7])


def test_freesurfers_names_and_all_volumes_in_one_array(tmp_path):
    values = values_of("surface")
    for name, own in zip(("lh", "rh"), np.split(values, 2, axis=1), strict=True):
        array = nib.gifti.GiftiDataArray(np.ascontiguousarray(own.T))
        nib.save(nib.GiftiImage(darrays=[array]), tmp_path / f"{name}.story.func.gii")
    path = tmp_path / "lh.story.func.gii"
    np.testing.assert_array_equal(read(path), values)
    assert [p.name for p in files_of(path)] == ["lh.story.func.gii", "rh.story.func.gii"]


def fault(path, tr=fmriprep.TR):
    with pytest.raises(ProblemError) as caught:
        read(path, tr)
    (problem,) = caught.value.problems
    assert problem.remedy
    return f"{problem.place}: {problem.what}"


def test_hemispheres_that_do_not_belong_together(tmp_path):
    path = write(tmp_path, "surface", values_of("surface"))
    right = files_of(path)[1]
    whole = right.read_bytes()
    right.unlink()
    assert "right hemisphere: the file does not exist" in fault(path)
    right.write_bytes(whole[: len(whole) // 2])
    assert "right hemisphere: truncated or no GIFTI" in fault(path)
    fmriprep.write_run(tmp_path, "short_hemi-{hemi}.gii", values_of("surface")[1:], "surface")
    (tmp_path / "short_hemi-R.gii").rename(right)
    assert f"{N - 1} volumes, but {N} in the left" in fault(path)
    assert "no left hemisphere" in fault(right.rename(tmp_path / "run.func.gii"))


def test_gifti_whose_values_lie_in_another_file(tmp_path):
    path = write(tmp_path, "surface", values_of("surface"))
    text = path.read_text().replace("GZipBase64Binary", "ExternalFileBinary")
    path.write_text(text.replace('ExternalFileName=""', 'ExternalFileName="/etc/passwd"'))
    assert "its values lie in another file" in fault(path)


@pytest.mark.parametrize("form", ["surface", "cifti"])
def test_another_repetition_time(tmp_path, form):
    path = write(tmp_path, form, values_of(form))
    where = "header" if form == "cifti" else "sidecar"
    with pytest.raises(ProblemError, match=rf"the {where}'s repetition time is 2 s.*1\.5 s"):
        read(path, 1.5)


def test_repetition_time_in_the_metadata_of_gifti(tmp_path):
    path = write(tmp_path, "surface", values_of("surface"))
    img = nib.load(path)
    img.meta["TimeStep"] = "1500.0"
    nib.save(img, path)
    assert "header's repetition time is 1.5 s, the sidecar's 2 s" in fault(path)


def test_damaged_cifti_and_other_cifti(tmp_path):
    path = write(tmp_path, "cifti", values_of("cifti"))
    whole = path.read_bytes()
    for n in (100, 600, len(whole) - 8):
        path.write_bytes(whole[:n])
        assert "truncated or no CIFTI" in fault(path)
    axes = nib.cifti2.ScalarAxis(["a"]), fmriprep.brain_models()
    img = nib.Cifti2Image(np.zeros((1, len(axes[1])), np.float32), axes)
    img.to_filename(path)
    assert "no dense series, but ScalarAxis by BrainModelAxis" in fault(path)
    nib.save(nib.Nifti2Image(np.zeros((2, 2, 2), np.float32), np.eye(4)), tmp_path / "x.nii")
    (tmp_path / "x.nii").replace(path)
    assert "does not say that it is CIFTI" in fault(path)
