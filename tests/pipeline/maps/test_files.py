"""The files of a subject's maps: all there, not blank, the same for the same input."""

import logging
import re

import nibabel as nib
import numpy as np
import pytest
from matplotlib.image import imread

from pipeline.core.errors import ProblemError
from pipeline.maps.histograms import write_histograms
from pipeline.maps.sampling import interpolation_matrix, weighted_mean
from pipeline.maps.scale import correlation_scale
from pipeline.maps.surface import Cortex
from pipeline.maps.views import InteractiveView, SurfaceView, _peak
from pipeline.maps.voxelmap import VoxelMap
from pipeline.maps.write import write_maps
from pipeline.voxels.volume import Mask
from tests.pipeline.maps.conftest import blob

BANDS = {"eng1000": ["eng1000"], "wordrate": ["wordrate"], "gim": ["eng1000", "gim"]}


@pytest.fixture(scope="module")
def correlations(places) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    base = 0.3 * blob(places, [-55, -20, 5], 20) + 0.02 * rng.standard_normal(len(places))
    base[:5] = np.nan
    return {
        "eng1000": base,
        "wordrate": 0.1 * base,
        "gim": base + 0.08 * blob(places, [-45, -60, 28]),
    }


REFERENCES = {"wordrate": ["eng1000"], "gim": ["eng1000", "wordrate"]}


@pytest.fixture(scope="module")
def q_values(correlations) -> dict:
    """Of gim: the correlation passes where it is above 0.1, the difference nowhere."""
    r = correlations["gim"]
    return {
        ("gim", None): np.where(np.isnan(r), np.nan, np.where(r > 0.1, 0.01, 0.3)),
        ("gim", "eng1000"): np.full(len(r), 0.05),
    }


@pytest.fixture(scope="module")
def written(mask, correlations, q_values, tmp_path_factory):
    """Folder, and the records of its files."""
    folder = tmp_path_factory.mktemp("maps") / "sub-S1"
    records = write_maps(
        correlations,
        BANDS,
        places=mask,
        folder=folder,
        subject="S1",
        contrasts=REFERENCES,
        figures_for=["gim"],
        q=q_values,
        level=0.05,
    )
    return folder, records


def test_every_model_has_its_files(written):
    folder, records = written
    gim = ["stat-r_desc-gim", *(f"minus-{m}_stat-rdiff_desc-gim" for m in REFERENCES["gim"])]
    others = ["stat-r_desc-eng1000", "stat-r_desc-wordrate"]
    whole = [*others, "minus-eng1000_stat-rdiff_desc-wordrate"]
    passed = ["stat-r_q-05_desc-gim", "minus-eng1000_stat-rdiff_q-05_desc-gim"]
    overview = ("statmap.nii.gz", "glass.png")
    pictures = ("slices.png", "surface.png", "view.html", "surfview.html")
    expected = {f"sub-S1_{s}_{end}" for s in (*whole, *gim) for end in overview}
    expected |= {
        f"sub-S1_hemi-{side}_space-fsaverage5_{s}_statmap.func.gii"
        for s in (*whole, *gim)
        for side in "LR"
    }
    expected |= {f"sub-S1_{s}_{end}" for s in gim for end in pictures}
    expected |= {f"sub-S1_{s}_{end}" for s in passed for end in (*overview, "surface.png")}
    assert {record["file"] for record in records} == expected
    assert {path.name for path in folder.iterdir()} == expected  # no partial file either


def test_records_say_what_a_file_shows(written):
    _, records = written
    by_file = {record["file"]: record for record in records}
    record = by_file["sub-S1_minus-eng1000_stat-rdiff_q-05_desc-gim_surface.png"]
    assert record["kind"] == "surface"
    assert (record["stat"], record["model"], record["minus"]) == ("rdiff", "gim", "eng1000")
    assert record["q"] == 0.05
    assert record["unit"] == "difference in Pearson r"
    assert record["title"].endswith("FDR q < 0.05")
    assert len({record["unit"] for record in records}) == 2  # one scale for each statistic


def test_thresholded_maps_keep_what_passes_and_nothing_else(written, mask, correlations):
    folder, _ = written
    img = nib.load(folder / "sub-S1_stat-r_q-05_desc-gim_statmap.nii.gz")
    values, r = img.get_fdata()[tuple(mask.voxels.T)], correlations["gim"]
    assert 10 < np.isfinite(values).sum() < len(r)
    np.testing.assert_allclose(values, np.where(r > 0.1, r, np.nan), atol=1e-7)
    nothing = nib.load(folder / "sub-S1_minus-eng1000_stat-rdiff_q-05_desc-gim_statmap.nii.gz")
    assert np.isnan(nothing.get_fdata()).all()  # q = 0.05 is not below 0.05


def test_gifti_holds_the_values_at_the_vertices(written, mask, correlations):
    folder, _ = written
    sampled = Cortex.of_mask(mask).sample(correlations["gim"])
    for side, letter in (("left", "L"), ("right", "R")):
        path = folder / f"sub-S1_hemi-{letter}_space-fsaverage5_stat-r_desc-gim_statmap.func.gii"
        img = nib.load(path)
        np.testing.assert_allclose(img.agg_data(), sampled[side], rtol=1e-6)
        assert img.meta["AnatomicalStructurePrimary"] == f"Cortex{side.capitalize()}"
        assert img.darrays[0].meta["Unit"] == "test correlation (Pearson r)"


def test_pictures_are_not_blank_and_differ(written):
    folder, _ = written
    pictures = {path.name: imread(path) for path in folder.glob("*.png")}
    for name, image in pictures.items():
        assert image.shape[1] > 1000, name
        assert image[..., :3].std() > 0.05, name
    r, change = (
        pictures[f"sub-S1_{s}_desc-gim_surface.png"] for s in ("stat-r", "minus-eng1000_stat-rdiff")
    )
    assert np.abs(r - change).max() > 0.3
    passed = pictures["sub-S1_stat-r_q-05_desc-gim_surface.png"]
    assert np.abs(r - passed).max() > 0.3


def test_nifti_holds_the_map_and_the_scale(written, mask, correlations):
    folder, _ = written
    headers = []
    for model, values in correlations.items():
        img = nib.load(folder / f"sub-S1_stat-r_desc-{model}_statmap.nii.gz")
        np.testing.assert_allclose(img.affine, mask.img.affine, atol=1e-5)
        at_mask = img.get_fdata()[tuple(mask.voxels.T)]
        np.testing.assert_allclose(at_mask, values, atol=1e-7)
        headers.append((float(img.header["cal_min"]), float(img.header["cal_max"])))
    assert len(set(headers)) == 1
    change = nib.load(folder / "sub-S1_minus-eng1000_stat-rdiff_desc-gim_statmap.nii.gz")
    expected = correlations["gim"] - correlations["eng1000"]
    np.testing.assert_allclose(change.get_fdata()[tuple(mask.voxels.T)], expected, atol=1e-7)
    # Pairs of which one does not contain the other, and that differ by 0.27, do not set the scale.
    assert 0.05 < float(change.header["cal_max"]) <= 0.1


def test_view_opens_at_the_peak_and_says_what_it_shows(mask, backdrop, places, tmp_path):
    values = 0.3 * blob(places, [45, 30, 10])
    view = InteractiveView(backdrop, correlation_scale([values]))
    view.save(values, tmp_path / "v.html", "S1, <gim>", "a + b")
    page = (tmp_path / "v.html").read_text()
    assert "<h1>S1, &lt;gim&gt;</h1><p>a + b</p>" in page
    assert str(view.scale) in page
    peak = places[np.argmax(values)]
    image = backdrop.image(values)
    assert np.linalg.norm(_peak(image, view.scale) - peak) < 6


def test_surface_view_has_both_hemispheres_apart(cortex, places, tmp_path):
    values = 0.3 * blob(places, [-45, -60, 28])
    view = SurfaceView(cortex, correlation_scale([values]))
    x = view._mesh.coordinates[:, 0]
    n_left = len(cortex.inflated["left"].coordinates)
    assert x[:n_left].max() < 0 < x[n_left:].min()
    assert view._mesh.faces[:, 0].max() > n_left
    view.save(values, tmp_path / "v.html", "S1, <gim>", "a + b")
    page = (tmp_path / "v.html").read_text()
    assert "<h1>S1, &lt;gim&gt;</h1><p>a + b</p>" in page
    assert not re.findall(r'<(?:script|link)[^>]*(?:src|href)="https?://', page)


def test_equal_input_gives_equal_nifti_files(mask, correlations, tmp_path):
    native = Mask(mask.img, mask.order)
    for folder in ("a", "b"):
        records = write_maps(
            correlations,
            BANDS,
            places=native,
            folder=tmp_path / folder,
            subject="S1",
            contrasts=REFERENCES,
            figures_for=[],
        )
        assert len(records) == 6
    for name in (record["file"] for record in records):
        assert (tmp_path / "b" / name).read_bytes() == (tmp_path / "a" / name).read_bytes()


def test_native_space_gets_slices_only_and_says_why(mask, correlations, tmp_path, caplog):
    native = Mask(mask.img, mask.order, "native", "native.nii.gz")
    only = {"eng1000": correlations["eng1000"]}
    with caplog.at_level(logging.INFO, logger="pipeline.maps"):
        records = write_maps(
            only, BANDS, places=native, folder=tmp_path, subject="S1", contrasts={}
        )
    stem = "sub-S1_stat-r_desc-eng1000_"
    endings = {"statmap.nii.gz", "slices.png", "view.html"}
    assert {record["file"] for record in records} == {stem + end for end in endings}
    assert imread(tmp_path / f"{stem}slices.png")[..., :3].std() > 0.05
    why = [m for m in caplog.messages if "native space" in m]
    assert len(why) == 1
    assert "native.nii.gz" in why[0]


def test_wrong_voxel_count_and_unknown_model_are_input_errors(mask, correlations, tmp_path):
    short = {"eng1000": correlations["eng1000"][:-1]}
    with pytest.raises(ProblemError, match="model eng1000"):
        write_maps(short, BANDS, places=mask, folder=tmp_path, subject="S1", contrasts={})
    with pytest.raises(ProblemError, match="no such model: gimm"):
        write_maps(
            correlations,
            BANDS,
            places=mask,
            folder=tmp_path,
            subject="S1",
            contrasts=REFERENCES,
            figures_for=["gimm"],
        )
    assert list(tmp_path.iterdir()) == []


def test_histograms(correlations, tmp_path):
    record = write_histograms(correlations, BANDS, path=tmp_path / "h.png", subject="S1")
    assert record["file"] == "h.png"
    image = imread(tmp_path / "h.png")
    assert image[..., :3].std() > 0.05
    write_histograms(
        dict(list(correlations.items())[:1]), BANDS, path=tmp_path / "1.png", subject="S1"
    )
    assert imread(tmp_path / "1.png").shape[0] < image.shape[0]
    write_histograms({"eng1000": np.full(7, np.nan)}, BANDS, path=tmp_path / "0.png", subject="S1")
    assert (tmp_path / "0.png").stat().st_size > 1000


def test_weighted_mean_needs_coverage():
    matrix = interpolation_matrix(
        Mask(nib.Nifti1Image(np.ones((2, 1, 1), np.uint8), np.eye(4))),
        np.array([[0.0, 0, 0], [0.4, 0, 0], [0.6, 0, 0]]),
    )
    result = weighted_mean(matrix, np.array([2.0, np.nan]), 0.5)
    np.testing.assert_array_equal(result, [2, 2, np.nan])


@pytest.mark.parametrize(("level", "label"), [(0.05, "05"), (0.001, "001"), (2.5e-5, "000025")])
def test_a_level_is_a_label_however_small(level, label):
    """A thresholded map is never called as the whole one."""
    whole = VoxelMap("S1", "gim", np.zeros(3), "")
    assert whole.threshold(np.zeros(3), level).stem == f"sub-S1_stat-r_q-{label}_desc-gim"
