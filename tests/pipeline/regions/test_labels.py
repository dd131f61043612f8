"""Regions of voxels, from volumes, annotations and atlases."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel.affines import apply_affine
from nilearn.datasets import load_fsaverage, load_mni152_brain_mask

from pipeline.core.errors import ProblemError
from pipeline.regions.annotation import N_FSAVERAGE, read_sheets
from pipeline.regions.labels import label_volume, read_labels
from pipeline.voxels.volume import Mask


@pytest.fixture(scope="module")
def mask():
    """About 3,600 voxels of 8 mm, in pycortex's order."""
    img = load_mni152_brain_mask(resolution=8)
    return Mask(nib.Nifti1Image((img.get_fdata() > 0).astype(np.uint8), img.affine), "zyx", "MNI")


@pytest.fixture(scope="module")
def places(mask):
    return apply_affine(mask.img.affine, mask.voxels)


def write_names(path, names):
    pd.DataFrame({"index": names.keys(), "name": names.values()}).to_csv(
        path, sep="\t", index=False
    )
    return str(path)


# Volumes


@pytest.fixture
def halves(tmp_path):
    """1 left of the midline, 2 right of it, on a 3 mm grid whose x runs to the left."""
    grid = load_mni152_brain_mask(resolution=3)
    x = apply_affine(grid.affine, np.argwhere(np.ones(grid.shape)))[:, 0].reshape(grid.shape)
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = grid.shape[0] - 1
    sides = np.where(x < -2, 1, np.where(x > 2, 2, 0))[::-1].astype(np.int16)
    nib.save(nib.Nifti1Image(sides, grid.affine @ flip), tmp_path / "halves-S1.nii.gz")
    return str(tmp_path / "halves-{subject}.nii.gz")


def test_a_volume_on_another_grid_labels_voxels_where_they_are(halves, tmp_path, mask, places):
    names = write_names(tmp_path / "names.tsv", {1: "left", 2: "right"})
    labels = read_labels({"volume": halves, "names": names}, mask, "S1")
    assert (labels[places[:, 0] < -4] == "left").all()
    assert (labels[places[:, 0] > 4] == "right").all()
    assert (labels[np.abs(places[:, 0]) < 0.1] == "").all()


def test_numbers_without_a_name_name_themselves(halves, mask):
    assert set(read_labels({"volume": halves}, mask, "S1")) == {"", "1", "2"}


def test_voxels_beyond_the_image_have_no_region(mask, places):
    small = nib.Nifti1Image(np.ones((2, 2, 2), np.uint8), np.diag([8.0, 8, 8, 1]))
    labels = label_volume(small, {1: "here"}, mask, "small")
    inside = ((places >= -4) & (places <= 12)).all(axis=1)
    assert inside.sum() == 8 or inside.sum() == 27
    assert not (labels[~inside] == "here").any()
    assert (labels == "here").sum() == 8


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (np.full((3, 3, 3), 0.5), "not a labelled image"),
        (np.ones((3, 3, 3, 2)), "not a labelled image"),
        (np.zeros((3, 3, 3)), "none of its regions"),
    ],
    ids=["fractions", "four dimensions", "empty"],
)
def test_volumes_that_label_nothing(data, told, mask, tmp_path):
    nib.save(nib.Nifti1Image(data.astype(np.float32), np.eye(4)), tmp_path / "bad.nii")
    with pytest.raises(ProblemError, match=told) as caught:
        read_labels({"volume": str(tmp_path / "bad.nii")}, mask, "S1")
    assert "bad.nii" in str(caught.value)


def test_a_table_of_names_needs_its_columns(halves, mask, tmp_path):
    (tmp_path / "names.tsv").write_text("number\tlabel\n1\tleft\n")
    with pytest.raises(ProblemError, match="no column 'index' or 'name'"):
        read_labels({"volume": halves, "names": str(tmp_path / "names.tsv")}, mask, "S1")


# Annotations


def write_annotation(path, regions):
    """An annotation in FreeSurfer's format; a vertex of no region has the value 0."""
    names = sorted(set(regions) - {""})
    indices = np.array([names.index(r) if r else -1 for r in regions])
    colours = np.array([[10 + i, 20, 30, 0, 0] for i in range(len(names))])
    nib.freesurfer.write_annot(str(path), indices, colours, names, fill_ctab=True)
    return str(path)


def front_and_back(vertices):
    return np.where(vertices[:, 1] > 0, "front", "back")


@pytest.fixture(scope="module")
def annotated(tmp_path_factory):
    """fsaverage5 in front and back halves, the right's back on the medial wall."""
    folder = tmp_path_factory.mktemp("annot")
    white = load_fsaverage("fsaverage5")["white_matter"].parts
    left, right = (front_and_back(white[side].coordinates) for side in ("left", "right"))
    right = np.where(right == "back", "Medial_wall", right)
    return {
        "left": write_annotation(folder / "lh.annot", left),
        "right": write_annotation(folder / "rh.annot", right),
    }


def test_voxels_take_the_region_of_the_nearest_vertex(annotated, mask, places):
    """Against a loop over the vertices, half-way between white and pial surface."""
    labels = read_labels(annotated, mask, "S1")
    assert set(labels) == {"", "lh.front", "lh.back", "rh.front"}
    sheets = {side: np.mean(sheet, axis=0) for side, sheet in read_sheets(None, mask).items()}
    checked = 0
    for voxel in range(0, len(places), 17):
        nearest = {s: np.linalg.norm(v - places[voxel], axis=1) for s, v in sheets.items()}
        side = min(nearest, key=lambda s: nearest[s].min())
        vertex = nearest[side].argmin()
        if nearest[side].min() > 20:
            assert labels[voxel] == ""
        clear = abs(sheets[side][vertex, 1]) > 6 and abs(places[voxel, 0]) > 10
        if nearest[side].min() < 4 and clear:
            region = front_and_back(sheets[side][vertex][None])[0]
            wanted = {"left": f"lh.{region}", "right": {"front": "rh.front"}.get(region, "")}
            assert labels[voxel] == wanted[side]
            checked += 1
    assert checked > 20


def test_annotations_of_fsaverage_fit_fsaverage5(annotated, mask, tmp_path):
    fine = {}
    for side in ("left", "right"):
        indices, colours, names = nib.freesurfer.read_annot(annotated[side])
        indices = np.concatenate([indices, np.zeros(N_FSAVERAGE - len(indices), int)])
        fine[side] = str(tmp_path / f"{side}.annot")
        nib.freesurfer.write_annot(fine[side], indices, colours, names, fill_ctab=True)
    np.testing.assert_array_equal(read_labels(fine, mask, "S1"), read_labels(annotated, mask, "S1"))


def test_surfaces_of_the_subject_lie_where_their_header_says(annotated, mask, places, tmp_path):
    """The same surfaces about another centre give the same regions, in native space as well."""
    meshes = load_fsaverage("fsaverage5")
    centre = np.array([7.0, -20, 13])
    about = {"head": [2, 0, 20], "valid": "1  # volume info valid", "filename": "x.mgz"}
    about |= {"volume": [256] * 3, "voxelsize": [1.0] * 3, "cras": centre}
    about |= {"xras": [-1.0, 0, 0], "yras": [0.0, 0, -1], "zras": [0.0, 1, 0]}
    (tmp_path / "S1" / "surf").mkdir(parents=True)
    for side, hemi in (("left", "lh"), ("right", "rh")):
        for kind, name in (("white_matter", "white"), ("pial", "pial")):
            mesh = meshes[kind].parts[side]
            path = str(tmp_path / "S1" / "surf" / f"{hemi}.{name}")
            nib.freesurfer.write_geometry(
                path, mesh.coordinates - centre, mesh.faces, volume_info=about
            )
    native = Mask(mask.img, mask.order, "native", "native.nii")
    options = annotated | {"surfaces": str(tmp_path / "{subject}" / "surf")}
    np.testing.assert_array_equal(
        read_labels(options, native, "S1"), read_labels(annotated, mask, "S1")
    )
    with pytest.raises(ProblemError, match="the subject's own surfaces"):
        read_labels(annotated, native, "S1")
    with pytest.raises(ProblemError, match=r"lh.white.*does not exist"):
        read_labels(annotated | {"surfaces": str(tmp_path)}, native, "S1")


def test_annotations_that_do_not_fit(annotated, mask, tmp_path):
    short = write_annotation(tmp_path / "short.annot", np.array(["a", "b"]))
    with pytest.raises(ProblemError, match="2 vertices, the surface 10242"):
        read_labels(annotated | {"left": short}, mask, "S1")
    with pytest.raises(ProblemError, match="not of the left hemisphere"):
        read_labels({"left": annotated["right"], "right": annotated["left"]}, mask, "S1")
    (tmp_path / "no.annot").write_bytes(b"not an annotation at all")
    with pytest.raises(ProblemError, match="not an annotation"):
        read_labels(annotated | {"left": str(tmp_path / "no.annot")}, mask, "S1")


# nilearn's atlases


def test_an_atlas_of_nilearn_is_read_from_disk(mask, places, halves, tmp_path, monkeypatch):
    monkeypatch.setenv("NILEARN_DATA", str(tmp_path / "atlases"))
    folder = tmp_path / "atlases" / "fsl" / "data" / "atlases"
    (folder / "HarvardOxford").mkdir(parents=True)
    img = nib.load(halves.replace("{subject}", "S1"))
    name = "HarvardOxford-cort-maxprob-thr25-2mm.nii.gz"
    nib.save(img, folder / "HarvardOxford" / name)
    labels = "".join(f'<label index="{i}">{n}</label>' for i, n in enumerate(["West", "East"]))
    (folder / "HarvardOxford-Cortical.xml").write_text(f"<atlas><data>{labels}</data></atlas>")
    options = {
        "atlas": "harvard_oxford",
        "options": {"atlas_name": "cort-maxprob-thr25-2mm"},
    }
    found = read_labels(options, mask, "S1")
    assert set(found) == {"", "West", "East"}
    assert (found[places[:, 0] < -4] == "West").all()
    native = Mask(mask.img, mask.order, "native", "native.nii")
    with pytest.raises(ProblemError, match="native space"):
        read_labels(options, native, "S1")


def test_a_surface_atlas_of_nilearn(annotated, mask, tmp_path, monkeypatch):
    monkeypatch.setenv("NILEARN_DATA", str(tmp_path))
    (tmp_path / "destrieux_surface").mkdir()
    for side in ("left", "right"):
        file = tmp_path / "destrieux_surface" / f"{side}.aparc.a2009s.annot"
        indices, colours, _ = nib.freesurfer.read_annot(annotated["left"])
        nib.freesurfer.write_annot(str(file), indices, colours, ["back", "front"], fill_ctab=True)
    labels = read_labels({"atlas": "surf_destrieux"}, mask, "S1")
    assert set(labels) == {"", "lh.front", "lh.back", "rh.front", "rh.back"}


def test_an_atlas_that_is_not_on_disk_is_not_downloaded(mask, tmp_path, monkeypatch):
    monkeypatch.setenv("NILEARN_DATA", str(tmp_path))
    with pytest.raises(ProblemError, match=r"not on this disk.*fetch_atlas_surf_destrieux\(\)"):
        read_labels({"atlas": "surf_destrieux"}, mask, "S1")
    with pytest.raises(ProblemError, match=r"no such atlas.*harvard_oxford"):
        read_labels({"atlas": "harvard"}, mask, "S1")
    with pytest.raises(ProblemError, match="atlas_name"):
        read_labels({"atlas": "harvard_oxford", "options": {"atlas_name": "x"}}, mask, "S1")
