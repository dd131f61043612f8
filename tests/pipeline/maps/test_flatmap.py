"""Flatmaps of the subject that comes with pycortex, where pycortex is installed."""

import logging
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from matplotlib.image import imread

from pipeline.core.errors import ProblemError
from pipeline.maps import flatmap
from pipeline.maps.flatmap import FlatSurface, flat_surface
from pipeline.maps.scale import correlation_scale
from pipeline.maps.webgl import write_webgl
from pipeline.maps.write import write_maps
from pipeline.voxels.volume import Mask

SUBJECT, TRANSFORM = "S1", "fullhead"
OPTIONS = {"subject": "{subject}", "transform": TRANSFORM, "database": None}


@pytest.fixture(scope="module")
def cortex():
    """pycortex with its subject, or a skip that says what is missing."""
    cortex = pytest.importorskip("cortex", reason="the extra `pycortex` is not installed")
    if not (Path(cortex.db.filestore) / SUBJECT).is_dir():
        pytest.skip(f"no subject {SUBJECT} in pycortex's database {cortex.db.filestore}")
    return cortex


def voxels_of(cortex, hemisphere) -> np.ndarray:
    """Whether a voxel holds a vertex of the hemisphere; x, y, z."""
    transform = cortex.db.get_xfm(SUBJECT, TRANSFORM)
    vertices, _ = cortex.db.get_surf(SUBJECT, "fiducial", hemisphere)
    inside = np.zeros(transform.shape[::-1], bool)
    inside[tuple(np.rint(transform(vertices)).astype(int).T)] = True
    return inside


@pytest.fixture(scope="module")
def own_mask(cortex) -> Mask:
    """Voxels on the cortex of the subject, in pycortex's order."""
    inside = voxels_of(cortex, "lh") | voxels_of(cortex, "rh")
    img = nib.Nifti1Image(inside.astype(np.uint8), np.diag([2.0, 2, 4, 1]))
    return Mask(img, "zyx", "native", "own.nii")


@pytest.fixture(scope="module")
def surface(cortex, own_mask) -> FlatSurface:
    return FlatSurface(own_mask, OPTIONS, SUBJECT)


def test_flatmap_is_that_of_pycortex(cortex, own_mask, surface):
    """Against pycortex's own way from a masked vector to a picture."""
    values = np.random.default_rng(0).standard_normal(own_mask.n_voxels)
    inside = own_mask.img.get_fdata().T > 0  # pycortex has z first
    volume = np.full(inside.shape, np.nan)
    volume[inside] = values
    data = cortex.Volume(volume, SUBJECT, TRANSFORM)
    expected, _ = cortex.quickflat.make_flatmap_image(data, height=flatmap.HEIGHT)
    assert np.isfinite(expected).mean() > 0.2
    np.testing.assert_allclose(surface.paint(values), expected, atol=1e-6)  # float32


def test_left_is_left_and_nothing_is_painted_off_the_cortex(cortex, own_mask, surface):
    of_left = voxels_of(cortex, "lh")[tuple(own_mask.voxels.T)]
    picture = surface.paint(of_left.astype(float))
    first, second = np.array_split(picture, 2, axis=1)
    assert np.nanmean(first) > 0.9
    assert np.nanmean(second) < 0.1
    assert 0.3 < np.isfinite(surface.grey).mean() < 0.9
    assert not (np.isnan(surface.grey) & np.isfinite(picture)).any()


def test_native_maps_get_a_flatmap_and_the_database_is_left_alone(own_mask, tmp_path, cortex):
    r = {"eng1000": np.random.default_rng(0).uniform(0, 0.3, own_mask.n_voxels)}
    before = sorted(Path(cortex.db.filestore).rglob("*"))
    records = write_maps(
        r,
        {"eng1000": ["eng1000"]},
        places=own_mask,
        folder=tmp_path,
        subject=SUBJECT,
        contrasts={},
        pycortex=OPTIONS,
    )
    assert {record["kind"] for record in records} == {"nifti", "flatmap", "slices", "view"}
    picture = imread(tmp_path / f"sub-{SUBJECT}_stat-r_desc-eng1000_flatmap.png")
    assert picture[..., :3].std() > 0.05
    assert sorted(Path(cortex.db.filestore).rglob("*")) == before


def test_the_viewer_has_all_maps_and_is_whole_or_not_there(cortex, own_mask, surface, tmp_path):
    """Correlations and colours; the database is left alone."""
    rng, before = np.random.default_rng(1), sorted(Path(cortex.db.filestore).rglob("*"))
    r = rng.uniform(0, 0.3, own_mask.n_voxels)
    colours = rng.random((3, own_mask.n_voxels))
    colours[:, ::2] = np.nan
    maps = {"r eng1000": (r, correlation_scale([r]))}
    write_webgl(
        surface,
        maps=maps,
        colours={"eng1000 words": colours},
        folder=tmp_path / "webgl",
        title="run, S1",
    )
    html = (tmp_path / "webgl" / "index.html").read_text()
    assert "r eng1000" in html and "eng1000 words" in html
    assert [path.name for path in tmp_path.iterdir()] == ["webgl"]
    assert sorted(Path(cortex.db.filestore).rglob("*")) == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"subject": "nobody"}, "no subject 'nobody'"),
        ({"transform": "other"}, "no transform 'other'"),
    ],
    ids=["subject", "transform"],
)
def test_what_the_database_does_not_have(cortex, own_mask, change, told):
    with pytest.raises(ProblemError, match=told):
        FlatSurface(own_mask, OPTIONS | change, SUBJECT)


def test_a_mask_on_another_grid(cortex):
    small = Mask(nib.Nifti1Image(np.ones((3, 3, 3), np.uint8), np.eye(4)), source="small.nii")
    with pytest.raises(ProblemError, match=r"small.nii.*the mask's is \(3, 3, 3\)"):
        FlatSurface(small, OPTIONS, SUBJECT)


def test_without_pycortex_there_is_a_reason_in_the_log(mask, monkeypatch, caplog):
    monkeypatch.setattr(flatmap.importlib.util, "find_spec", lambda name: None)
    with caplog.at_level(logging.INFO, logger="pipeline.maps"):
        assert flat_surface(mask, OPTIONS, "S1") is None
    assert "pycortex is not installed" in caplog.text
    assert flat_surface(mask, None, "S1") is None
