"""Regions of voxels, from volumes, annotations and atlases, and the tables by region."""

import h5py
import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread
from nibabel.affines import apply_affine
from nilearn.datasets import load_fsaverage, load_mni152_brain_mask
from scipy import stats

from pipeline.errors import InputError
from pipeline.gains import gains as all_gains
from pipeline.regions import read_labels, summarise_regions, write_chart
from pipeline.regions.annotation import N_FSAVERAGE, read_sheets
from pipeline.regions.labels import label_volume
from pipeline.regions.summary import COLUMNS
from pipeline.volume import Mask
from tests.unit.test_summary import write_fit

OVER = {"ngram": "ngramlag"}  # the model that lacks just the matches


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
    with pytest.raises(InputError, match=told) as caught:
        read_labels({"volume": str(tmp_path / "bad.nii")}, mask, "S1")
    assert "bad.nii" in str(caught.value)


def test_a_table_of_names_needs_its_columns(halves, mask, tmp_path):
    (tmp_path / "names.tsv").write_text("number\tlabel\n1\tleft\n")
    with pytest.raises(InputError, match="no column 'index' or 'name'"):
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
    with pytest.raises(InputError, match="the subject's own surfaces"):
        read_labels(annotated, native, "S1")
    with pytest.raises(InputError, match=r"lh.white.*no such file"):
        read_labels(annotated | {"surfaces": str(tmp_path)}, native, "S1")


def test_annotations_that_do_not_fit(annotated, mask, tmp_path):
    short = write_annotation(tmp_path / "short.annot", np.array(["a", "b"]))
    with pytest.raises(InputError, match="2 vertices, the surface 10242"):
        read_labels(annotated | {"left": short}, mask, "S1")
    with pytest.raises(InputError, match="not of the left hemisphere"):
        read_labels({"left": annotated["right"], "right": annotated["left"]}, mask, "S1")
    (tmp_path / "no.annot").write_bytes(b"not an annotation at all")
    with pytest.raises(InputError, match="not an annotation"):
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
    with pytest.raises(InputError, match="native space"):
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
    with pytest.raises(InputError, match=r"not on this disk.*fetch_atlas_surf_destrieux\(\)"):
        read_labels({"atlas": "surf_destrieux"}, mask, "S1")
    with pytest.raises(InputError, match=r"no such atlas.*harvard_oxford"):
        read_labels({"atlas": "harvard"}, mask, "S1")
    with pytest.raises(InputError, match="atlas_name"):
        read_labels({"atlas": "harvard_oxford", "options": {"atlas_name": "x"}}, mask, "S1")


# Tables


@pytest.fixture
def fits(tmp_path):
    rng = np.random.default_rng(0)
    files = {}
    for subject, n in (("S1", 30), ("S2", 20)):
        for model in ("eng1000", "ngramlag", "ngram"):
            r, r_train = rng.uniform(-0.1, 0.4, n), rng.uniform(-0.1, 0.4, (4, n))
            r[3], r_train[:, 3] = np.nan, np.nan
            path = tmp_path / f"{subject}{model}.h5"
            files[subject, model] = write_fit(path, r, r_train.mean(axis=0), r_train)
    return files


@pytest.fixture
def labels():
    return {
        "S1": {"lobes": np.array(["a"] * 10 + ["b"] * 12 + [""] * 8), "one": np.array(["x"] * 30)},
        "S2": {"lobes": np.array(["a"] * 10 + ["c"] * 10), "one": np.array(["x"] * 20)},
    }


def gains(fits, subject, voxels, model="ngram", over="eng1000"):
    """Mean gain over voxels of each story, by a loop."""
    values = {}
    for name in (model, over):
        with h5py.File(fits[subject, name]) as file:
            values[name] = file["r_train"][:]
    difference = values[model] - values[over]
    return np.array([np.mean([d[v] for v in voxels if np.isfinite(d[v])]) for d in difference])


def by_key(fits, labels, over=OVER):
    table = summarise_regions(fits, labels, "eng1000", over)
    assert list(table.columns) == COLUMNS
    return table.set_index(["subject", "model", "parcellation", "region"])


def check(row, column, by_story, interval=None):
    """A number is the mean over stories, with its t interval."""
    low, high = stats.ttest_1samp(by_story, 0).confidence_interval(0.95)
    interval = interval or column
    assert row[column] == pytest.approx(by_story.mean())
    assert (row[f"{interval}_lo"], row[f"{interval}_hi"]) == pytest.approx((low, high))


def test_gains_and_selectivity_by_region(fits, labels):
    """Of a model with a lag control, selectivity is that of the gain over it."""
    rows = by_key(fits, labels)
    row = rows.loc["S1", "ngram", "lobes", "a"]
    assert row["n_voxels"] == 9
    assert row["over"] == "ngramlag"
    check(row, "delta_eng1000", gains(fits, "S1", range(10)), "delta")
    inside = gains(fits, "S1", range(10), over="ngramlag")
    check(row, "gain", inside)
    check(row, "selectivity", inside - gains(fits, "S1", range(10, 22), over="ngramlag"))
    assert np.isnan(rows.loc["S1", "ngram", "one", "x"]["selectivity"])  # no other region


def test_models_without_a_lag_control_gain_over_the_baseline_alone(fits, labels):
    rows = by_key(fits, labels)
    row = rows.loc["S1", "ngramlag", "lobes", "a"]
    assert row[["over", "gain", "gain_lo", "gain_hi"]].isna().all()
    inside = gains(fits, "S1", range(10), "ngramlag")
    check(row, "delta_eng1000", inside, "delta")
    check(row, "selectivity", inside - gains(fits, "S1", range(10, 22), "ngramlag"))
    base = rows.loc["S1", "eng1000", "lobes", "a"]
    assert base["delta_eng1000"] == base["selectivity"] == 0
    assert by_key(fits, labels, {})[["over", "gain"]].isna().all(axis=None)


def test_mean_rows_average_stories_over_the_subjects_that_have_the_region(fits, labels):
    rows = by_key(fits, labels)
    row = rows.loc["mean", "ngram", "lobes", "a"]
    assert row["n_voxels"] == 18
    assert row["over"] == "ngramlag"
    for column, over, interval in (
        ("delta_eng1000", "eng1000", "delta"),
        ("gain", "ngramlag", "gain"),
    ):
        own = [gains(fits, subject, range(10), over=over) for subject in ("S1", "S2")]
        check(row, column, (own[0] + own[1]) / 2, interval)
    only = rows.loc["mean", "ngram", "lobes", "c"]
    assert only["gain_hi"] == pytest.approx(rows.loc["S2", "ngram", "lobes", "c"]["gain_hi"])


def test_a_region_of_all_voxels_has_the_gain_of_the_table_of_gains(fits, labels):
    models = {"eng1000": ["eng1000"], "ngramlag": ["eng1000", "l"], "ngram": ["eng1000", "l", "m"]}
    table = all_gains(fits, models, "eng1000").set_index(["subject", "model", "over"])
    for subject in ("S1", "S2", "mean"):
        row = by_key(fits, labels).loc[subject, "ngram", "one", "x"]
        wanted = table.loc[subject, "ngram", "ngramlag"]
        for column in ("gain", "gain_lo", "gain_hi"):
            assert row[column] == pytest.approx(wanted[column])


def test_one_region_of_all_voxels_has_the_mean_of_the_fit(fits, labels):
    row = by_key(fits, labels).loc["S1", "ngram", "one", "x"]
    with h5py.File(fits["S1", "ngram"]) as file:
        assert row["r_mean"] == pytest.approx(np.nanmean(file["r"][:]))


def blue(picture):
    """Whether anything is drawn in the colour of gains clear of 0."""
    return (np.abs(picture[..., :3] - [0, 0x72 / 255, 0xB2 / 255]).sum(axis=2) < 0.05).any()


def test_chart_has_a_panel_for_each_model(fits, labels, tmp_path):
    table = by_key(fits, labels, {}).reset_index().query("parcellation == 'lobes'")
    write_chart(table, tmp_path / "one.png", ["eng1000", "ngram"], "eng1000")
    one = imread(tmp_path / "one.png")
    assert one[..., :3].std() > 0.05
    clear = table.query("subject == 'mean' and model == 'ngram'")
    clear = (clear["delta_lo"] > 0) | (clear["delta_hi"] < 0)
    assert blue(one) == clear.any()
    twice = pd.concat([table, table[table["model"] == "ngram"].assign(model="gim")])
    write_chart(twice, tmp_path / "two.png", ["ngram", "gim"], "eng1000")
    assert imread(tmp_path / "two.png").shape[1] > one.shape[1]


def test_chart_shows_the_gain_over_the_lag_control(fits, labels, tmp_path):
    """Whatever the gain over the baseline is; the control itself has no panel."""
    table = by_key(fits, labels).reset_index().query("parcellation == 'lobes'")
    gain, delta = ["gain", "gain_lo", "gain_hi"], ["delta_eng1000", "delta_lo", "delta_hi"]
    table[gain], table[delta] = [0.0, -0.1, 0.1], [0.2, 0.1, 0.3]
    write_chart(table, tmp_path / "null.png", ["ngramlag", "ngram"], "eng1000")
    assert not blue(imread(tmp_path / "null.png"))
    table[gain], table[delta] = table[delta], table[gain]
    write_chart(table, tmp_path / "clear.png", ["ngramlag", "ngram"], "eng1000")
    assert blue(imread(tmp_path / "clear.png"))


def test_a_chart_of_many_models_has_fewer_regions(tmp_path):
    """So that it does not grow beyond what a page can show."""
    names = [f"area {i}" for i in range(45)]
    each = pd.DataFrame({"subject": "mean", "parcellation": "fine", "region": names, "over": None})
    each = each.assign(delta_eng1000=np.arange(45), delta_lo=0, delta_hi=50)
    each = each.assign(gain=np.nan, gain_lo=np.nan, gain_hi=np.nan)
    heights = {}
    for n in (5, 15):
        models = [f"m{i}" for i in range(n)]
        table = pd.concat([each.assign(model=model) for model in models])
        write_chart(table, tmp_path / "chart.png", models, "eng1000")
        heights[n] = imread(tmp_path / "chart.png").shape[0]
    assert heights[15] < 2.5 * heights[5]
