"""Maps over subjects: one space or none, values that come back, neighbours on surfaces."""

import json
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from scipy import stats

from pipeline.core.random import generator
from pipeline.statistics.group_maps import group_maps, write_group
from pipeline.statistics.options import TestOptions
from pipeline.statistics.prevalence import Prevalence
from pipeline.statistics.sign_flips import draw_flips, sign_flip_test
from pipeline.voxels.adjacency import surface_edges, volume_edges
from pipeline.voxels.common import common_vertices, common_voxels
from pipeline.voxels.vertices import Vertices
from pipeline.voxels.volume import Mask, to_vector
from tests.helpers import fmriprep
from tests.helpers.fits import write_fit
from tests.helpers.planted_maps import SHAPE, planted

OPTIONS = TestOptions(
    scheme="shift", permutations=300, min_shift=1, block=1, tail="none", alpha=0.05
)
N = 8
TRAIN = ["a", "b", "c", "d", "e"]


def fits_of(folder, values, seed=0):
    """One model a subject, whose mean over stories is the subject's map."""
    rng, fits = np.random.default_rng(seed), {}
    for i, own in enumerate(values):
        noise = rng.standard_normal((len(TRAIN), len(own)))
        r_train = 0.05 * (own + 0.3 * (noise - noise.mean(axis=0)))
        key = (f"S{i}", "words")
        fits[key] = write_fit(folder / f"{i}.h5", own, own, r_train, ["w"], TRAIN)
    return fits


def mask_of(inside, space, source, order="xyz"):
    return Mask(nib.Nifti1Image(inside.astype(np.int8), np.eye(4)), order, space, source)


class Silent:
    """Draws nothing, and loads no template, which takes seconds."""

    def __init__(self, mask, folder):
        pass

    def draw(self, maps, scale, chosen):
        return []


def run(folder, fits, places, **others):
    options = {"figures_for": [], "options": OPTIONS, "seed": 3} | others
    compared, bands = [("words", None)], {"words": ["w"]}
    return write_group(fits, compared, bands, places=places, folder=folder / "group", **options)


def read(folder, stat, mask):
    return to_vector(nib.load(folder / f"group/stat-{stat}_desc-words_statmap.nii.gz"), mask)


def test_maps_of_one_mask_hold_what_was_computed(tmp_path):
    values, where = planted(N, seed=0)
    mask = mask_of(np.ones(SHAPE), "native", "mask.nii.gz")
    fits = fits_of(tmp_path, values)
    said = run(tmp_path, fits, {f"S{i}": mask for i in range(N)})
    assert said["notes"] == []
    assert {r["stat"] for r in said["maps"]} == {
        "mean",
        "t",
        "pfwer",
        "pcluster",
        "prevalence",
        "meanpfwer",
        "meanpcluster",
    }
    sidecar = json.loads((tmp_path / "group/stat-meanpfwer_desc-words_statmap.json").read_text())
    assert sidecar["Description"] == "words: mean over subjects, family-wise p < 0.05"
    assert len(sidecar["Sources"]) == N
    assert "FalseDiscoveryRate" not in sidecar
    r = 0.05 * values
    test = stats.ttest_1samp(r, 0)
    np.testing.assert_allclose(read(tmp_path, "mean", mask), r.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(read(tmp_path, "t", mask), test.statistic, rtol=1e-4)
    flips = draw_flips(N, 300, generator(3, "group"))
    expected = sign_flip_test(r, flips, volume_edges(mask))
    pfwer = read(tmp_path, "pfwer", mask)
    np.testing.assert_allclose(pfwer, expected.p_fwer, atol=1e-6)
    np.testing.assert_allclose(read(tmp_path, "pcluster", mask), expected.p_cluster, atol=1e-6)
    shown = read(tmp_path, "meanpfwer", mask)
    np.testing.assert_array_equal(np.isfinite(shown), pfwer < 0.05)
    prevalence = read(tmp_path, "prevalence", mask)
    assert prevalence[where].mean() > 0.6 > prevalence[~where].mean()
    possible = [Prevalence(k, N, 0.05).map for k in range(N + 1)]
    assert np.isclose(prevalence[:, None], possible, atol=1e-6).any(axis=1).all()


def test_maps_of_a_model_that_was_removed_go(tmp_path):
    values, _ = planted(N, seed=0)
    mask = mask_of(np.ones(SHAPE), "native", "mask.nii.gz")
    fits, places = fits_of(tmp_path, values), {f"S{i}": mask for i in range(N)}
    run(tmp_path, fits, places)
    others = {(subject, "other"): path for (subject, _), path in fits.items()}
    (tmp_path / "group" / "notes.txt").write_text("the user's own")
    write_group(
        others,
        [("other", None)],
        {"other": ["w"]},
        places=places,
        folder=tmp_path / "group",
        options=OPTIONS,
        seed=3,
        figures_for=[],
    )
    left = {path.name for path in (tmp_path / "group").iterdir()}
    assert "notes.txt" in left
    assert any("desc-other" in name for name in left)
    assert not any("desc-words" in name for name in left)
    apart = {s: mask_of(np.ones(SHAPE), "native", f"{s}.nii.gz") for s in places}
    assert run(tmp_path, fits, apart)["maps"] == []
    assert {path.name for path in (tmp_path / "group").iterdir()} == {"notes.txt"}


def test_a_story_in_which_a_voxel_does_not_vary_is_left_out():
    """Of its subject alone; a voxel that never varies has no value."""
    rng = np.random.default_rng(0)
    stories = rng.normal(0.05, 0.1, (N, len(TRAIN), 3))
    stories[0, 1, 1] = stories[0, :, 2] = np.nan
    flips = draw_flips(N, 300, np.random.default_rng(1))
    found = group_maps(stories, flips, None, 0.05)
    means = np.nanmean(stories[..., :2], axis=1)
    np.testing.assert_allclose(found["mean"][:2], means.mean(axis=0))
    assert not np.isnan([found[key][:2] for key in ("t", "pfwer", "prevalence")]).any()
    assert np.isnan([found[key][2] for key in ("mean", "t", "pfwer", "prevalence")]).all()


def test_masks_of_their_own_in_one_space_share_some_voxels(tmp_path):
    """Each subject's vector runs through its own mask, one of them in the other order."""
    rng = np.random.default_rng(1)
    places, values = {}, []
    truth = rng.standard_normal((3, *SHAPE))
    for i, order in enumerate(("xyz", "zyx", "xyz")):
        inside = rng.uniform(size=SHAPE) < 0.8
        places[f"S{i}"] = mask_of(inside, "MNI", f"{i}.nii.gz", order)
        values.append(truth[i][tuple(places[f"S{i}"].voxels.T)])
    mask, chosen = common_voxels(places)
    for i, (subject, own) in enumerate(chosen.items()):
        np.testing.assert_array_equal(values[i][own], truth[i][tuple(mask.voxels.T)])
        assert len(own) == mask.n_voxels < places[subject].n_voxels
    inside = np.all([np.asarray(m.img.dataobj) for m in places.values()], axis=0)
    assert mask.n_voxels == inside.sum()


def test_a_subjects_own_mask_leads_to_the_voxels_of_all(tmp_path, monkeypatch):
    """Of three subjects, who are too few for sign flips; native values only, as MNI is drawn."""
    monkeypatch.setattr("pipeline.maps.group.Artist", Silent)
    shared, other = np.ones(SHAPE), np.ones(SHAPE)
    other[0] = 0
    places = {f"S{i}": mask_of(inside, "MNI", f"{i}") for i, inside in enumerate((shared, other))}
    values = [np.arange(m.n_voxels) * 1.0 for m in places.values()]
    said = run(tmp_path, fits_of(tmp_path, values), places)
    mean = read(tmp_path, "t", common_voxels(places)[0])
    assert len(mean) == other.sum()
    first = values[0].reshape(SHAPE)[1:].ravel()
    expected = stats.ttest_1samp(0.05 * np.stack([first, values[1]]), 0).statistic
    np.testing.assert_allclose(mean, expected, rtol=1e-4)
    assert not any("pcluster" in r["stat"] for r in said["maps"])


def test_subjects_of_no_one_space_get_a_reason_and_no_maps(tmp_path):
    own = {f"S{i}": mask_of(np.ones(SHAPE), "native", f"{i}.nii.gz") for i in range(2)}
    said = run(tmp_path, {}, own)
    assert said["maps"] == []
    assert said["notes"] == ["the subjects have masks of their own in native space"]
    other = {**own, "S1": mask_of(np.ones((2, 3, 4)), "MNI", "b")}
    other["S0"] = mask_of(np.ones(SHAPE), "MNI", "a")
    assert "another grid" in common_voxels(other)
    apart = {
        s: mask_of(np.arange(120).reshape(SHAPE) % 2 == i, "MNI", s) for i, s in enumerate("ab")
    }
    assert "no voxel" in common_voxels(apart)


def pair(n_left=12, n_right=12, space="fsaverage5"):
    return Vertices.of_pair(n_left, n_right, f"sub-1_hemi-L_space-{space}_bold.func.gii")


def test_surfaces_are_one_space_if_they_say_so():
    axis = fmriprep.brain_models()
    cifti = [
        Vertices.of_axis(a, "x_space-fsLR_den-91k_bold.dtseries.nii") for a in (axis, axis[::-1])
    ]
    assert common_vertices({"a": pair(), "b": pair()}).space == "fsaverage5"
    assert common_vertices({"a": cifti[0], "b": cifti[0]}) is cifti[0]
    assert "others than" in common_vertices({"a": cifti[0], "b": cifti[1]})
    assert "others than" in common_vertices({"a": pair(), "b": pair(11, 13)})
    assert "subjects' own" in common_vertices({"a": pair(space="fsnative"), "b": pair()})


def ring(n):
    """Triangles of a fan about the vertex 0."""
    outer = np.arange(1, n)
    return np.stack([np.zeros(n - 1, int), outer, np.roll(outer, -1)], axis=1)


def test_vertices_are_neighbours_on_the_mesh_and_voxels_in_their_structure():
    vertices = Vertices.of_axis(fmriprep.brain_models(), "x_space-fsLR_bold.dtseries.nii")
    faces = {"left": ring(12), "right": ring(12)}
    edges = {tuple(sorted(edge)) for edge in surface_edges(vertices, faces).tolist()}
    expected = set()
    for start in (0, 10):  # ten of twelve vertices have a value: 1 to 9 in a row about the first
        expected |= {(start, start + i) for i in range(1, 10)}
        expected |= {(start + i, start + i + 1) for i in range(1, 9)}
    expected |= {(20, 21), (22, 23), (20, 22), (21, 23)}  # two by two voxels
    assert edges == expected
    assert len(surface_edges(vertices, faces)) == len(edges)


def test_without_a_mesh_there_are_no_clusters(tmp_path):
    values = np.random.default_rng(0).standard_normal((6, 24)) + 1
    said = run(tmp_path, fits_of(tmp_path, values), {f"S{i}": pair() for i in range(6)})
    assert "no mesh" in said["notes"][0]
    stats_written = {r["stat"] for r in said["maps"]}
    assert "pfwer" in stats_written
    assert "pcluster" not in stats_written
    path = tmp_path / "group" / "hemi-R_space-fsaverage5_stat-mean_desc-words_statmap.func.gii"
    right = nib.load(path).darrays[0].data
    np.testing.assert_allclose(right, 0.05 * values.mean(axis=0)[12:], atol=1e-6)


def test_grayordinates_keep_their_brain_models(tmp_path):
    axis = fmriprep.brain_models()
    place = Vertices.of_axis(axis, "sub-1_space-fsLR_den-91k_bold.dtseries.nii")
    values = np.random.default_rng(0).standard_normal((6, len(axis)))
    run(tmp_path, fits_of(tmp_path, values), {f"S{i}": place for i in range(6)})
    path = tmp_path / "group" / "space-fsLR_den-91k_stat-mean_desc-words_statmap.dscalar.nii"
    img = nib.load(path)
    assert img.header.get_axis(1) == axis
    np.testing.assert_allclose(img.get_fdata()[0], 0.05 * values.mean(axis=0), atol=1e-6)


def meshes_in(folder):
    """A fan of twelve vertices a hemisphere."""
    at = np.random.default_rng(0).standard_normal((12, 3)).astype(np.float32)
    meshes = {}
    for side in ("left", "right"):
        faces = ring(12).astype(np.int32)
        kinds = {"NIFTI_INTENT_POINTSET": at, "NIFTI_INTENT_TRIANGLE": faces}
        arrays = [nib.gifti.GiftiDataArray(array, kind) for kind, array in kinds.items()]
        meshes[side] = str(folder / f"{side}.surf.gii")
        nib.save(nib.GiftiImage(darrays=arrays), meshes[side])
    return meshes


@pytest.mark.parametrize("part", [slice(0, 10), slice(10, 24), slice(20, 24)])
def test_what_there_is_of_the_brain_has_clusters(tmp_path, part):
    """One hemisphere, and voxels below the cortex, with one or with none."""
    axis = fmriprep.brain_models()[part]
    place = Vertices.of_axis(axis, "sub-1_space-fsLR_bold.dtseries.nii")
    values = np.random.default_rng(0).normal(3, 0.3, (6, len(axis)))
    meshes = meshes_in(tmp_path) if place.hemispheres else None
    said = run(
        tmp_path, fits_of(tmp_path, values), dict.fromkeys(map("S{}".format, range(6)), place),
        meshes=meshes,
    )  # fmt: skip
    assert said["notes"] == []
    assert "pcluster" in {r["stat"] for r in said["maps"]}


def test_where_no_voxel_is_known_in_all_the_listing_says_so(tmp_path):
    mask = mask_of(np.ones(SHAPE), "native", "mask.nii.gz")
    values = planted(N, seed=0)[0]
    values[2] = np.nan
    few = replace(OPTIONS, permutations=18)
    said = run(tmp_path, fits_of(tmp_path, values), {f"S{i}": mask for i in range(N)}, options=few)
    assert said["maps"] == []
    assert "below 0.05: too few subjects or flips" in said["notes"][0]
    assert said["notes"][1:] == ["no voxel has a value in all subjects"]


def test_meshes_of_the_configuration_give_clusters(tmp_path):
    meshes = meshes_in(tmp_path)
    values = 0.3 * np.random.default_rng(0).standard_normal((6, 24))
    values[:, 12:] += 3
    said = run(
        tmp_path, fits_of(tmp_path, values), {f"S{i}": pair() for i in range(6)}, meshes=meshes
    )
    assert said["notes"] == []
    stem = "space-fsaverage5_stat-pcluster_desc-words_statmap.func.gii"
    left, right = (nib.load(tmp_path / f"group/hemi-{h}_{stem}").darrays[0].data for h in "LR")
    assert left.min() == 1
    np.testing.assert_allclose(right, 2 / 2**6)


def test_the_mean_what_passes_and_the_prevalence_are_drawn(tmp_path, monkeypatch):
    drawn = []

    class Recorder(Silent):
        def draw(self, maps, scale, chosen):
            drawn.extend((m.stat, m.q, m.title, scale.vmax, chosen) for m in maps)
            return []

    monkeypatch.setattr("pipeline.maps.group.Artist", Recorder)
    mask = mask_of(np.ones(SHAPE), "native", "m")
    places = dict.fromkeys((f"S{i}" for i in range(N)), mask)
    run(tmp_path, fits_of(tmp_path, planted(N, seed=0)[0]), places, figures_for=["words"])
    found = {stat: (q, title, vmax, chosen) for stat, q, title, vmax, chosen in drawn}
    assert list(found) == ["mean", "meanpfwer", "meanpcluster", "prevalence"]
    assert found["meanpcluster"][:2] == (0.05, "words: mean over subjects, cluster p < 0.05")
    assert found["mean"][0] is None
    assert found["mean"][2] == found["meanpfwer"][2] != 1
    assert found["prevalence"][2:] == (1, {"words"})
