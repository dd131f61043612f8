from dataclasses import asdict

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from pipeline.bands.compute import BandFile
from pipeline.bands.registry import BAND_OPTIONS, BandOptions
from pipeline.core.series import delay, zscore
from pipeline.fit.design import Design, load_band
from pipeline.matching.matches import Matching

WORDS = {"kind": "eng1000", "n_components": None, "downsample": "lanczos"}
PAST = {"kind": "ar", "n_components": None, "order": 4, "horizon": 2}
RANDOM = {"kind": "random", "n_components": None, **asdict(Matching()), "horizon": 2}


def write_band(path, n_columns=3, seed=0, rows=(40, 50, 30, 35)):
    rng = np.random.default_rng(seed)
    values = {
        s: rng.standard_normal((n, n_columns)) + 5 + rng.standard_normal(n_columns)
        for s, n in zip(["a", "b", "c", "test"], rows, strict=True)
    }
    with BandFile.create(path) as file:
        for story, v in values.items():
            file.write(story, v)
    return path, values


def load(path, options, delays=(1, 2)):
    return load_band(
        "band",
        path,
        options=BandOptions.read(options),
        delays=delays,
        train=["a", "b", "c"],
        test=["test"],
    )


@given(st.integers(1, 12), st.lists(st.integers(0, 15), min_size=1, max_size=4, unique=True))
def test_delay_against_a_loop(n_rows, delays):
    values = np.random.default_rng(n_rows).standard_normal((n_rows, 2))
    found = delay(values, delays)
    for k, d in enumerate(delays):
        for t in range(n_rows):
            expected = values[t - d] if t >= d else np.zeros(2)
            np.testing.assert_array_equal(found[t, 2 * k : 2 * k + 2], expected)


def test_delays_do_not_cross_story_borders(tmp_path):
    """The authors delayed stories on end: one story ran into the next (error 5)."""
    band = load(write_band(tmp_path / "b.h5")[0], WORDS, delays=(1, 2, 3, 4))
    for story in ("b", "c", "test"):
        rows = band.rows(story)
        for k, d in enumerate((1, 2, 3, 4)):
            assert (rows[:d, 3 * k : 3 * k + 3] == 0).all()
            assert (rows[d, 3 * k : 3 * k + 3] != 0).all()


def test_word_features_are_zscored_within_each_story(tmp_path):
    band = load(write_band(tmp_path / "b.h5")[0], WORDS)
    for values in band.values.values():
        np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-6)
        np.testing.assert_allclose(values.std(axis=0), 1, atol=1e-5)


@pytest.mark.parametrize("options", [PAST, RANDOM, {"kind": "position", "n_components": None}])
def test_everything_else_is_scaled_by_the_training_stories(tmp_path, options):
    path, values = write_band(tmp_path / "b.h5")
    band = load(path, options)
    pooled = np.concatenate([values[s] for s in ("a", "b", "c")])
    for story in values:
        expected = (values[story] - pooled.mean(axis=0)) / pooled.std(axis=0)
        np.testing.assert_allclose(band.values[story], expected, atol=1e-5)


@pytest.mark.parametrize("options", [WORDS, PAST, RANDOM])
@pytest.mark.parametrize("n_components", [None, 2])
def test_test_stories_change_no_training_row(tmp_path, options, n_components):
    options = {**options, "n_components": n_components}
    path, _ = write_band(tmp_path / "b.h5")
    before = load(path, options)
    with h5py.File(path, "a") as file:
        file["test"][...] = np.random.default_rng(1).standard_normal((35, 3)) * 100
    after = load(path, options)
    for story in ("a", "b", "c"):
        np.testing.assert_array_equal(before.rows(story), after.rows(story))
    assert (before.rows("test") != after.rows("test")).any()


def test_reduction_is_the_training_stories_pca(tmp_path):
    path, values = write_band(tmp_path / "b.h5", n_columns=6)
    band = load(path, {**WORDS, "n_components": 2})
    scaled = {s: zscore(v) for s, v in values.items()}
    pca = PCA(2).fit(np.concatenate([scaled[s] for s in ("a", "b", "c")]))
    expected = pca.transform(scaled["test"])
    found = band.values["test"]
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found * signs, expected, atol=1e-4)


def test_no_duplicated_columns(tmp_path):
    """Shifted copies and FIR delays made the authors' design rank deficient (error 6)."""
    band = load(write_band(tmp_path / "b.h5", rows=(90, 90, 90, 90))[0], RANDOM)
    design = np.concatenate([band.rows(s) for s in ("a", "b", "c")])
    assert design.shape[1] == 3 * 6
    assert np.linalg.matrix_rank(design) == design.shape[1]


def test_bands_lie_side_by_side(tmp_path):
    first = load(write_band(tmp_path / "a.h5")[0], WORDS)
    second = load(write_band(tmp_path / "b.h5", seed=1)[0], PAST)
    design = Design((first, second))
    assert design.slices == [slice(0, 6), slice(6, 9)]
    assert design.n_columns == 9
    np.testing.assert_array_equal(design.rows("a")[:, 6:], second.rows("a"))


@pytest.mark.parametrize("constant", [0.0, 5.0, 1e6, 1e-9])
def test_constant_columns_become_zero(constant):
    values = np.random.default_rng(0).standard_normal((20, 2))
    values[:, 1] = constant
    assert (zscore(values)[:, 1] == 0).all()
    assert zscore(values)[:, 0].std() == pytest.approx(1)


def test_all_bands_have_the_common_options():
    assert {"kind", "n_components"} == BAND_OPTIONS
