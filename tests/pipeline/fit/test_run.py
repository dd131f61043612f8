"""A whole fit from files to file: blocks, edges, constant voxels, honesty about test stories."""

import logging
from dataclasses import replace

import h5py
import numpy as np
import pytest

from pipeline.core.atomic import atomic_h5, atomic_path
from pipeline.core.errors import ProblemError
from pipeline.fit.design import Band, Design
from pipeline.fit.file import at_edges
from pipeline.fit.grams import GramFile
from pipeline.fit.memory import block_size, fixed_bytes, voxel_bytes
from pipeline.fit.options import Alphas, FitOptions, training_folds
from pipeline.fit.run import fit_model, gather
from tests.helpers.responses import rewrite, write_responses

ROWS = {"a": 40, "b": 50, "c": 45, "d": 40, "t1": 40, "t2": 35}
TRAIN, TEST = ["a", "b", "c", "d"], ["t1", "t2"]
OPTIONS = {
    "solver": "gram",
    "n_folds": 3,
    "n_scalings": 3,
    "refinements": 3,
    "alphas": Alphas(-1, 5, 7),
    "reference_voxels": 4,
    "device": "cpu",
    "memory_gb": 4,
    "voxels_per_block": None,
    "fold_seed": 0,
    "search_seed": 0,
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


def fit(dataset, design, path, grams=(), chunk=(1, 1), keep=(), **options):
    fit_model(
        dataset,
        "S1",
        design=design,
        train=TRAIN,
        test=TEST,
        options=FitOptions(**OPTIONS | options),
        attributes={"model": "m"},
        output=path,
        grams=grams,
        chunk=chunk,
        keep=keep,
    )
    return read(path)


def read(path):
    """All arrays and attributes of a fit."""
    with h5py.File(path) as file:
        arrays = {}
        file.visititems(
            lambda name, item: (
                arrays.update({name: item[:]}) if isinstance(item, h5py.Dataset) else None
            )
        )
        return arrays, dict(file.attrs)


@pytest.mark.parametrize("solver", ["gram", "kernel", "himalaya"])
@pytest.mark.parametrize("n_reference", [1, 4, 10])
def test_block_size_changes_nothing(dataset, design, tmp_path, solver, n_reference):
    options = {"solver": solver, "reference_voxels": n_reference}
    whole, _ = fit(dataset, design, tmp_path / "a.h5", **options)
    blocks, _ = fit(dataset, design, tmp_path / "b.h5", voxels_per_block=3, **options)
    for name in ("r", "r_test", "r_concat", "r_train", "r_cv", "predictions/t1"):
        np.testing.assert_allclose(whole[name], blocks[name], atol=1e-5, err_msg=name)
    np.testing.assert_array_equal(whole["alpha"], blocks["alpha"])


def with_copied_noise(design):
    """The design, its noise band said to be made from matches."""
    signal, noise = design.bands
    return Design((signal, replace(noise, copied=True)))


def test_what_matches_add_is_what_a_test_story_without_them_lacks(dataset, design, tmp_path):
    whole, _ = fit(dataset, with_copied_noise(design), tmp_path / "whole.h5")
    signal, noise = design.bands
    silent = {s: v * (s in TRAIN) for s, v in noise.values.items()}  # no matches in test stories
    without, _ = fit(dataset, Design((signal, replace(noise, values=silent))), tmp_path / "w.h5")
    assert not any(name.startswith("copied") for name in without)
    for story in TEST:
        lacking = whole[f"predictions/{story}"] - without[f"predictions/{story}"]
        assert lacking.std() > 1e-3
        np.testing.assert_allclose(
            whole[f"copied/{story}"], lacking - lacking.mean(axis=0), atol=1e-5
        )


@pytest.mark.parametrize("n_chunks", [2, 3, 12])
def test_chunks_joined_are_the_whole(dataset, design, tmp_path, n_chunks):
    """Also with more jobs than voxels, where some have nothing to do."""
    design = with_copied_noise(design)
    whole, attributes = fit(dataset, design, tmp_path / "whole.h5", keep=["noise"])
    chunks = [tmp_path / f"{i}.h5" for i in range(n_chunks)]
    for i, chunk in enumerate(chunks, start=1):
        fit(dataset, design, chunk, chunk=(i, n_chunks), keep=["noise"])
    gather(chunks, alphas=OPTIONS["alphas"], output=tmp_path / "joined.h5")
    joined, gathered = read(tmp_path / "joined.h5")
    assert set(joined) == set(whole)
    assert whole["weights_noise"].shape == (6, 10)
    for name, expected in whole.items():
        if expected.dtype.kind == "f":
            np.testing.assert_allclose(joined[name], expected, atol=1e-5, err_msg=name)
        else:
            np.testing.assert_array_equal(joined[name], expected)
    np.testing.assert_array_equal(joined["alpha"], whole["alpha"])
    assert gathered == pytest.approx(attributes)


def test_stored_grams_change_nothing(dataset, design, tmp_path):
    """Pairs are stored once, in either order of the bands."""
    folds = training_folds(TRAIN, ROWS, OPTIONS["n_folds"], seed=0)
    signal, noise = design.bands
    grams = []
    for a, b in [(signal, signal), (noise, signal), (noise, noise)]:
        grams.append(tmp_path / f"{a.name}_{b.name}.h5")
        GramFile.write(grams[-1], a, b, folds)
    made, _ = fit(dataset, design, tmp_path / "made.h5")
    read_, _ = fit(dataset, design, tmp_path / "read.h5", grams=grams)
    for name in ("r_train", "r", "alpha"):
        np.testing.assert_array_equal(made[name], read_[name])
    with pytest.raises(ProblemError, match="no Gram matrix of noise and noise"):
        fit(dataset, design, tmp_path / "f.h5", grams=grams[:2])


def test_blocks_are_as_large_as_memory_allows():
    shape = {"solver": "gram", "n_rows": 34_000, "n_columns": 5_740, "n_folds": 5}
    options = {"n_bands": 2, "n_narrow": 1}
    size = block_size(95_556, 16, **shape, **options)
    needed = fixed_bytes(**shape, n_bands=2) + size * voxel_bytes(**shape, n_narrow=1)
    assert 12e9 < needed <= 16e9
    assert block_size(100, 16, **shape, **options) == 100
    with pytest.raises(ProblemError, match="set it to"):
        block_size(95_556, 2, **shape, **options)


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
    for name in ("r_train", "r_cv", "alpha", "predictions/t1", "predictions/t2"):
        np.testing.assert_array_equal(before[name], after[name])
    assert (before["r"][:5] != after["r"][:5]).all()


def test_alphas_at_the_smallest_are_a_warning(dataset, design, tmp_path, caplog):
    """The authors searched 10..1000 and never looked at the edges (error 10)."""
    with caplog.at_level(logging.WARNING):
        _, attributes = fit(dataset, design, tmp_path / "f.h5", alphas=Alphas(6, 8, 3))
    assert attributes["alpha_at_min"] > 0.5
    assert "widen fit.alphas.min" in caplog.text


def test_edges_are_of_predicted_voxels_and_single_bands_may_be_left_out():
    alpha = np.array([[1, 100, 100, 10, 100], [100, 100, 10, 10, 100]], np.float32)
    r = np.array([0.5, 0.5, 0.5, 0.5, 0.0])  # the last is not predicted
    r_train = r + 0.01 * np.array([[-1], [0], [1]])
    found = at_edges(alpha, r_train, r, Alphas(0, 2, 3))
    assert found == {"alpha_at_min": 0.25, "alpha_at_max": 0.25}


def test_wide_alphas_are_no_warning(dataset, design, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        _, attributes = fit(dataset, design, tmp_path / "f.h5", alphas=Alphas(-3, 6, 10))
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
