"""The files of a subject's maps: all there, not blank, the same for the same input."""

import logging

import nibabel as nib
import numpy as np
import pytest
from matplotlib.image import imread

from pipeline.errors import InputError
from pipeline.maps import write_histograms, write_maps
from pipeline.maps.figures import InteractiveView, _peak
from pipeline.maps.sampling import interpolation_matrix, weighted_mean
from pipeline.maps.scale import correlation_scale
from pipeline.volume import Mask
from tests.unit.maps.conftest import blob

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


@pytest.fixture(scope="module")
def written(mask, correlations, tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps") / "sub-S1"
    return folder, write_maps(correlations, BANDS, mask, folder, "S1", figures_for=["gim"])


def test_every_model_has_its_files(written):
    folder, paths = written
    stems = [
        "eng1000_stat-r",
        "wordrate_stat-r",
        "gim_stat-r",
        "wordrate_stat-rdiff",
        "gim_stat-rdiff",
    ]
    expected = {f"sub-S1_model-{s}_{end}" for s in stems for end in ("statmap.nii.gz", "glass.png")}
    expected |= {
        f"sub-S1_model-gim_stat-{stat}_{end}"
        for stat in ("r", "rdiff")
        for end in ("slices.png", "surface.png", "view.html")
    }
    assert {path.name for path in paths} == expected
    assert {path.name for path in folder.iterdir()} == expected  # no partial file either


def test_pictures_are_not_blank_and_differ(written):
    _, paths = written
    pictures = {path.name: imread(path) for path in paths if path.suffix == ".png"}
    for name, image in pictures.items():
        assert image.shape[1] > 1000, name
        assert image[..., :3].std() > 0.05, name
    r, change = (pictures[f"sub-S1_model-gim_stat-{s}_surface.png"] for s in ("r", "rdiff"))
    assert np.abs(r - change).max() > 0.3


def test_nifti_holds_the_map_and_the_scale(written, mask, correlations):
    folder, _ = written
    headers = []
    for model, values in correlations.items():
        img = nib.load(folder / f"sub-S1_model-{model}_stat-r_statmap.nii.gz")
        np.testing.assert_allclose(img.affine, mask.img.affine, atol=1e-5)
        at_mask = img.get_fdata()[tuple(mask.voxels.T)]
        np.testing.assert_allclose(at_mask, values, atol=1e-7)
        headers.append((float(img.header["cal_min"]), float(img.header["cal_max"])))
    assert len(set(headers)) == 1
    change = nib.load(folder / "sub-S1_model-gim_stat-rdiff_statmap.nii.gz")
    expected = correlations["gim"] - correlations["eng1000"]
    np.testing.assert_allclose(change.get_fdata()[tuple(mask.voxels.T)], expected, atol=1e-7)
    # Word rate, which does not contain the baseline and loses 0.27, does not set the scale.
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


def test_equal_input_gives_equal_nifti_files(mask, correlations, tmp_path):
    native = Mask(mask.img, mask.order)
    for folder in ("a", "b"):
        paths = write_maps(correlations, BANDS, native, tmp_path / folder, "S1", figures_for=[])
        assert len(paths) == 5
    for path in paths:
        assert path.read_bytes() == (tmp_path / "a" / path.name).read_bytes()


def test_native_space_gets_slices_only_and_says_why(mask, correlations, tmp_path, caplog):
    native = Mask(mask.img, mask.order, "native", "native.nii.gz")
    only = {"eng1000": correlations["eng1000"]}
    with caplog.at_level(logging.INFO, logger="pipeline.maps"):
        paths = write_maps(only, BANDS, native, tmp_path, "S1")
    stem = "sub-S1_model-eng1000_stat-r_"
    endings = {"statmap.nii.gz", "slices.png", "view.html"}
    assert {path.name for path in paths} == {stem + end for end in endings}
    assert imread(tmp_path / f"{stem}slices.png")[..., :3].std() > 0.05
    why = [m for m in caplog.messages if "native space" in m]
    assert len(why) == 1
    assert "native.nii.gz" in why[0]


def test_wrong_voxel_count_and_unknown_model_are_input_errors(mask, correlations, tmp_path):
    short = {"eng1000": correlations["eng1000"][:-1]}
    with pytest.raises(InputError, match="model eng1000"):
        write_maps(short, BANDS, mask, tmp_path, "S1")
    with pytest.raises(InputError, match="no such model: gimm"):
        write_maps(correlations, BANDS, mask, tmp_path, "S1", figures_for=["gimm"])
    assert list(tmp_path.iterdir()) == []


def test_histograms(correlations, tmp_path):
    path = write_histograms(correlations, BANDS, tmp_path / "h.png", "S1")
    image = imread(path)
    assert image[..., :3].std() > 0.05
    taller = write_histograms(dict(list(correlations.items())[:1]), BANDS, tmp_path / "1.png", "S1")
    assert imread(taller).shape[0] < image.shape[0]
    empty = {"eng1000": np.full(7, np.nan)}
    assert write_histograms(empty, BANDS, tmp_path / "0.png", "S1").stat().st_size > 1000


def test_weighted_mean_needs_coverage():
    matrix = interpolation_matrix(
        Mask(nib.Nifti1Image(np.ones((2, 1, 1), np.uint8), np.eye(4))),
        np.array([[0.0, 0, 0], [0.4, 0, 0], [0.6, 0, 0]]),
    )
    result = weighted_mean(matrix, np.array([2.0, np.nan]), 0.5)
    np.testing.assert_array_equal(result, [2, 2, np.nan])
