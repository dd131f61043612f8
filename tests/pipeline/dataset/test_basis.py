import numpy as np
import pytest
from sklearn.decomposition import PCA

from pipeline.dataset import basis as responses
from pipeline.dataset.basis import fit_basis
from tests.helpers.responses import rewrite, write_responses

ROWS = {"a": 60, "b": 80, "c": 50, "test": 40}
TRAIN = ["a", "b", "c"]


def test_exact_basis_equals_scikit_learn(tmp_path):
    dataset = write_responses(tmp_path, ROWS)
    basis = fit_basis(dataset, "S1", TRAIN, 5)
    pooled = np.concatenate([dataset.read_responses("S1", s) for s in TRAIN])
    pca = PCA(5).fit(pooled)
    signs = np.sign((basis.components * pca.components_).sum(axis=1))
    np.testing.assert_allclose(basis.components, pca.components_ * signs[:, None], atol=1e-6)
    expected = pca.explained_variance_ * (len(pooled) - 1) / len(pooled)
    np.testing.assert_allclose(basis.variance, expected, rtol=1e-5)
    np.testing.assert_allclose(basis.scores(pooled), pca.transform(pooled) * signs, atol=1e-4)


def test_incremental_basis_spans_the_same_space(tmp_path, monkeypatch):
    dataset = write_responses(tmp_path, ROWS, n_voxels=40, latent=6)
    exact = fit_basis(dataset, "S1", TRAIN, 6)
    monkeypatch.setattr(responses, "EXACT_UP_TO", 10)
    incremental = fit_basis(dataset, "S1", TRAIN, 6)
    cosines = np.linalg.svd(exact.components @ incremental.components.T, compute_uv=False)
    np.testing.assert_allclose(cosines, 1, atol=1e-5)


@pytest.mark.parametrize("limit", [10, 4096])
def test_test_stories_do_not_touch_the_basis(tmp_path, monkeypatch, limit):
    """The authors fitted one PCA per story, the test story's own among them (error 1)."""
    monkeypatch.setattr(responses, "EXACT_UP_TO", limit)
    dataset = write_responses(tmp_path, ROWS, n_voxels=20)
    before = fit_basis(dataset, "S1", TRAIN, 5)
    rewrite(dataset, "S1", "test", 100 * np.ones((40, 20)))
    after = fit_basis(dataset, "S1", TRAIN, 5)
    np.testing.assert_array_equal(before.components, after.components)


def test_signs_do_not_depend_on_the_solver(tmp_path):
    dataset = write_responses(tmp_path, ROWS)
    components = fit_basis(dataset, "S1", TRAIN, 5).components
    largest = np.abs(components).argmax(axis=1)
    assert (components[np.arange(5), largest] > 0).all()


def test_no_more_components_than_voxels_or_rows(tmp_path):
    dataset = write_responses(tmp_path, {"a": 6, "b": 5, "c": 4}, n_voxels=30)
    assert len(fit_basis(dataset, "S1", ["a", "b", "c"], 100).components) == 15
    dataset = write_responses(tmp_path / "few", ROWS, n_voxels=3)
    assert len(fit_basis(dataset, "S1", TRAIN, 100).components) == 3
