import nibabel as nib
import numpy as np
import pytest

from pipeline.fit import attribution
from pipeline.fit.attribution import band_parts, band_shares
from pipeline.fit.design import Band, Design
from pipeline.maps.shares import write_shares
from pipeline.voxels.volume import to_vector
from tests.pipeline.voxels.test_volume import mask_of


@pytest.fixture
def case():
    rng = np.random.default_rng(0)
    bands = tuple(
        Band(name, {"s": rng.standard_normal((50, 3)).astype(np.float32)}, (0, 1), (1.0, 1.0))
        for name in ("a", "b", "idle")
    )
    design = Design(bands)
    weights = rng.standard_normal((design.n_columns, 4))
    weights[design.slices[2]] = 0
    predict = lambda rows: rows @ weights + 5.0  # noqa: E731
    return design, predict, weights, rng


def test_shares_sum_to_the_explained_variance(case):
    design, predict, weights, rng = case
    predicted = predict(design.rows("s"))
    measured = predicted + rng.standard_normal(predicted.shape)
    shares = band_shares(band_parts(weights, design, "s"), measured)
    error = (measured - measured.mean(0)) - (predicted - predicted.mean(0))
    r2 = 1 - (error**2).sum(0) / ((measured - measured.mean(0)) ** 2).sum(0)
    np.testing.assert_allclose(shares.sum(0), r2, rtol=1e-4)
    np.testing.assert_allclose(shares[2], 0, atol=1e-12)


def test_a_band_that_misleads_has_a_negative_share(case):
    design, _, weights, _ = case
    parts = band_parts(weights, design, "s")
    shares = band_shares(parts, parts[0])  # only band a is true
    assert (shares[0] > 0).all()
    assert (shares[1] < 0).all()


def test_constant_voxels_have_no_share(case):
    design, _, weights, _ = case
    parts = band_parts(weights, design, "s")
    measured = parts[0].copy()
    measured[:, 1] = 3
    shares = band_shares(parts, measured)
    assert np.isnan(shares[:, 1]).all()
    assert np.isfinite(np.delete(shares, 1, axis=1)).all()


def test_shares_are_the_product_measure(case, monkeypatch):
    """Covariance with the response, less half of that with every band, over the variance."""
    monkeypatch.setattr(attribution, "VOXELS", 3)
    design, _, weights, rng = case
    parts = band_parts(weights, design, "s")
    measured = 1e-9 * (7 + rng.standard_normal(parts[0].shape))
    shares = band_shares(1e-9 * parts, measured)
    for voxel in range(4):
        y = measured[:, voxel] - measured[:, voxel].mean()
        p = 1e-9 * parts[:, :, voxel]
        expected = [(2 * q @ y - sum(q @ other for other in p)) / (y @ y) for q in p]
        np.testing.assert_allclose(shares[:, voxel], expected, rtol=1e-5, atol=1e-9)


def test_maps_keep_negative_shares_and_share_a_scale(tmp_path):
    mask = mask_of("xyz")
    n = int((mask.img.get_fdata() > 0).sum())
    shares = {"gim": {"eng1000": np.linspace(-0.2, 0.4, n), "gim": np.full(n, -0.01)}}
    records = write_shares(shares, mask, folder=tmp_path, subject="S1")
    assert [record["band"] for record in records] == ["eng1000", "gim"]
    assert [record["file"] for record in records] == [
        f"sub-S1_band-{band}_stat-share_desc-gim_statmap.nii.gz" for band in ("eng1000", "gim")
    ]
    images = [nib.load(tmp_path / record["file"]) for record in records]
    assert images[0].header["cal_max"] == images[1].header["cal_max"]
    np.testing.assert_allclose(to_vector(images[0], mask), shares["gim"]["eng1000"], atol=1e-6)
