"""A whole fit from files to file: blocks, edges, constant voxels, honesty about test stories."""

import logging

import h5py
import numpy as np
import pytest

from pipeline.atomic import atomic_h5, atomic_path
from pipeline.design import Band, Design
from pipeline.fit.run import fit_model
from tests.unit.responses import rewrite, write_responses

ROWS = {"a": 40, "b": 50, "c": 45, "d": 40, "t1": 40, "t2": 35}
TRAIN, TEST = ["a", "b", "c", "d"], ["t1", "t2"]
OPTIONS = {
    "solver": "gram",
    "n_folds": 3,
    "n_scalings": 3,
    "alphas": {"min": -1, "max": 5, "n": 7},
}


@pytest.fixture
def dataset(tmp_path):
    return write_responses(tmp_path, ROWS, n_voxels=10)


@pytest.fixture
def design(dataset):
    """One band that drives half of the voxels, one that is noise."""
    rng = np.random.default_rng(5)
    values = {s: rng.standard_normal((n, 4)).astype(np.float32) for s, n in ROWS.items()}
    noise = {s: rng.standard_normal((n, 3)).astype(np.float32) for s, n in ROWS.items()}
    mixing = 2 * rng.standard_normal((4, 5))
    for story in ROWS:
        responses = dataset.read_responses("S1", story)
        responses[:, :5] += values[story] @ mixing
        responses[:, 9] = 0.25
        rewrite(dataset, "S1", story, responses)
    bands = (Band("signal", values, (0,), (1.0,)), Band("noise", noise, (0, 1), (1.0, 1.0)))
    return Design(bands)


def fit(dataset, design, path, voxels_per_block=100, **options):
    seeds = {"folds": 0, "search": 0}
    fit_model(
        dataset, "S1", design, TRAIN, TEST, OPTIONS | options, seeds, voxels_per_block,
        {"model": "m"}, path,
    )  # fmt: skip
    with h5py.File(path) as file:
        arrays = {}
        file.visititems(
            lambda name, item: (
                arrays.update({name: item[:]}) if isinstance(item, h5py.Dataset) else None
            )
        )
        return arrays, dict(file.attrs)


@pytest.mark.parametrize("solver", ["gram", "himalaya"])
def test_block_size_changes_nothing(dataset, design, tmp_path, solver):
    whole, _ = fit(dataset, design, tmp_path / "a.h5", solver=solver)
    blocks, _ = fit(dataset, design, tmp_path / "b.h5", voxels_per_block=3, solver=solver)
    for name in ("r", "r_test", "r_concat", "r_train", "r_cv", "predictions/t1"):
        np.testing.assert_allclose(whole[name], blocks[name], atol=1e-5, err_msg=name)
    np.testing.assert_array_equal(whole["alpha"], blocks["alpha"])


def test_signal_is_found_and_constant_voxels_have_no_r(dataset, design, tmp_path):
    found, _ = fit(dataset, design, tmp_path / "f.h5")
    assert (found["r"][:5] > 0.5).all()
    assert np.isnan(found["r"][9])
    assert np.isnan(found["r_cv"][9])
    assert np.abs(found["r_cv"][5:9]).max() < 0.4
    np.testing.assert_allclose(found["r"][:9], found["r_test"].mean(axis=0)[:9], atol=1e-6)


def test_test_stories_choose_nothing(dataset, design, tmp_path):
    before, _ = fit(dataset, design, tmp_path / "a.h5")
    for story in TEST:
        noise = np.random.default_rng(1).standard_normal((ROWS[story], 10))
        rewrite(dataset, "S1", story, noise)
    after, _ = fit(dataset, design, tmp_path / "b.h5")
    for name in ("r_train", "r_cv", "alpha", "scaling", "predictions/t1", "predictions/t2"):
        np.testing.assert_array_equal(before[name], after[name])
    assert (before["r"][:5] != after["r"][:5]).all()


@pytest.mark.parametrize(("edges", "where"), [((6, 8), "min"), ((-1, 0.5), "max")])
def test_alphas_at_an_edge_are_a_warning(dataset, design, tmp_path, caplog, edges, where):
    """The authors searched 10..1000 and never looked at the edges (error 10)."""
    alphas = {"min": edges[0], "max": edges[1], "n": 3}
    with caplog.at_level(logging.WARNING):
        _, attributes = fit(dataset, design, tmp_path / "f.h5", alphas=alphas)
    assert attributes[f"alpha_at_{where}"] > 0.5
    assert f"widen fit.alphas.{where}" in caplog.text


def test_wide_alphas_are_no_warning(dataset, design, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        _, attributes = fit(
            dataset, design, tmp_path / "f.h5", alphas={"min": -3, "max": 6, "n": 10}
        )
    assert attributes["alpha_at_min"] == 0
    assert not caplog.records


def test_an_interrupted_fit_leaves_nothing(dataset, design, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.fit.run._write_test", stop)
    folder = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        fit(dataset, design, folder / "f.h5")
    assert list(folder.iterdir()) == []


def test_files_appear_whole_or_not_at_all(tmp_path):
    path = tmp_path / "deep" / "table.tsv"
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "new"
    with pytest.raises(RuntimeError), atomic_h5(path.with_suffix(".h5")) as file:
        file["x"] = 1
        raise RuntimeError
    assert [p.name for p in path.parent.iterdir()] == ["table.tsv"]
