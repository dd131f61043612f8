"""Responses made ready: voxels dropped, and the filter against the cosine transform."""

import json

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.fft import dct, idct

from pipeline.config.load import complete
from pipeline.core.errors import ProblemError
from pipeline.core.series import pearson
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.grid import Grid
from pipeline.dataset.prepare import prepare, ready
from tests.helpers import regional
from tests.helpers.datasets import (
    N_ROWS,
    N_VOXELS,
    make_config,
    write_dataset,
    write_responses,
)

OPTIONS = {"zscore": False}


@pytest.mark.parametrize("scaled", [{}, {"zscore": True}, {"high_pass": 0.01}])
def test_dropped_voxels_have_no_correlation_in_any_story(tmp_path, scaled):
    """They are 0 in all rows, repeats too, and the others are what they would be without them."""
    stories, drop = ["one", "two", "three", "four"], [2, 3]
    write_dataset(tmp_path, stories, ["S1"])
    given = {"drop_nan_voxels": True, **scaled}
    config = make_config(tmp_path, stories, {"S1": None}, responses=given)
    config["name"] = str(tmp_path / "run")
    dataset, rng = Dataset.from_config(config), np.random.default_rng(0)
    values = rng.standard_normal((N_ROWS, N_VOXELS)).astype(np.float32)
    repeats = np.stack([values, values + 1])
    whole, spoilt = tmp_path / "whole.h5", tmp_path / "spoilt.h5"
    source = dataset.source("S1", "one")
    write_responses(source, values, individual_repeats=repeats)
    prepare(config, "S1", "one", whole)
    values[:, drop] = repeats[..., drop] = np.nan
    write_responses(source, values, individual_repeats=repeats)
    assert not dataset.is_ready("one")
    prepare(config, "S1", "one", spoilt, drop)
    with h5py.File(whole) as before, h5py.File(spoilt) as after:
        for name in ("data", "individual_repeats"):
            expected = before[name][()]
            expected[..., drop] = 0
            np.testing.assert_array_equal(after[name], expected)
        r = pearson(rng.standard_normal((N_ROWS, N_VOXELS)), after["data"][()])
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(r)), drop)


def filtered(values, tr, high_pass):
    grid = Grid(n_scanned=len(values), tr=tr, sound_start=0, unused_volumes=0, trim=(0, 0))
    return ready(values, grid, 0, OPTIONS | {"high_pass": high_pass})


def slow_part(values, tr, high_pass):
    """The transform's terms up to `high_pass`, but the mean: term k has frequency k / (2 n tr)."""
    n_terms = int(np.floor(2 * len(values) * tr * high_pass)) + 1
    terms = dct(values, axis=0, norm="ortho")
    terms[0] = terms[n_terms:] = 0
    return idct(terms, axis=0, norm="ortho")


@pytest.mark.filterwarnings("ignore:Cosine filter was not created")  # nothing is that slow
@given(
    n=st.integers(20, 500),
    tr=st.sampled_from([0.72, 1.5, 2.0, 2.0045]),
    high_pass=st.sampled_from([0.002, 1 / 128, 0.01, 0.02]),
)
def test_the_terms_of_the_cosine_transform_are_taken_out(n, tr, high_pass):
    values = np.random.default_rng(n).standard_normal((n, 3)) + np.array([0, 5, -100])
    found = filtered(values, tr, high_pass)
    np.testing.assert_allclose(found, values - slow_part(values, tr, high_pass), atol=1e-5)
    means = found.mean(axis=0, dtype=float)
    np.testing.assert_allclose(means, values.mean(axis=0), atol=1e-5)


def test_a_run_that_is_too_short_for_any_cosine_stays(recwarn):
    values = np.random.default_rng(0).standard_normal((20, 3))
    np.testing.assert_array_equal(filtered(values, 2.0, 0.01), values.astype(np.float32))
    assert any("Cosine filter was not created" in str(warning.message) for warning in recwarn)


@pytest.mark.parametrize("level", [0.0, 12345.678])
def test_a_filter_that_leaves_nothing_is_an_error(level):
    """Two responses slower than the cut-off, and one voxel that is constant."""
    time = np.pi * (np.arange(100)[:, None] + 0.5) / 100
    drifts = np.cos(np.array([1, 3, 0]) * time) + level
    with pytest.raises(ProblemError, match=r"nothing of the responses is faster than 0\.01 Hz"):
        filtered(drifts, 2.0, 0.01)
    left = filtered(drifts + np.cos(9 * time) * [1, 0, 0], 2.0, 0.01)
    assert left.std(axis=0, dtype=float) == pytest.approx([np.sqrt(0.5), 0, 0], abs=1e-3)


def test_a_constant_voxel_stays_constant():
    """The filter's rounding is no signal to be scaled up."""
    values = np.random.default_rng(0).standard_normal((100, 2))
    values[:, 1] = 12345.678
    grid = Grid(n_scanned=100, tr=2.0, sound_start=0, unused_volumes=0, trim=(5, 5))
    found = ready(values, grid, 0, {"zscore": True, "high_pass": 0.01})
    assert found[:, 0].std() > 0.9
    assert (found[:, 1] == 0).all()


def test_responses_are_filtered_trimmed_and_scaled():
    """A slow cosine goes, a fast one stays; scaling is over the kept rows."""
    grid = Grid(n_scanned=100, tr=2.0, sound_start=0, unused_volumes=0, trim=(4, 6))
    t = np.arange(100)
    slow, fast = np.cos(np.pi * (t + 0.5) / 100), np.sin(2 * np.pi * t / 10)
    values = np.stack([100 + 30 * slow, 50 + fast, 20 * slow + fast], axis=1)
    options = {"trimmed": False, "zscore": False, "high_pass": 0.01}
    filtered = ready(values, grid, 0, options)
    assert filtered.shape == (90, 3)
    assert filtered[:, 0].std() < 0.01
    assert np.corrcoef(filtered[:, 2], fast[4:-6])[0, 1] > 0.99
    scaled = ready(values, grid, 0, options | {"high_pass": None, "zscore": True})
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(axis=0), 1, atol=1e-6)
    kept = ready(values[4:-6], grid, 4, options | {"high_pass": None})
    np.testing.assert_array_equal(kept, values[4:-6].astype(np.float32))


def test_regions_of_a_table_are_taken_by_name(tmp_path):
    """In the order that is asked for; without one, as the file has them."""
    subjects = regional.write_dataset(tmp_path, 1, n_rows=20)
    config = complete(regional.configuration(tmp_path, subjects))
    config["name"], turned = str(tmp_path / "run"), regional.REGIONS[::-1]
    dataset, found = Dataset.from_config(config), {}
    dataset.respdict.parent.mkdir(parents=True)
    dataset.respdict.write_text(json.dumps(dict.fromkeys(regional.STORIES, 20)))
    for names in (None, turned):
        prepare(config, "S01", "one", dataset.responses("S01", "one"), regions=names)
        found[names is None] = dataset.read_responses("S01", "one")
        assert dataset.region_names("S01", "one") == (names or regional.REGIONS)
    np.testing.assert_array_equal(found[True], found[False][:, ::-1])
    with pytest.raises(ProblemError, match="no column 'M1'"):
        prepare(config, "S01", "one", tmp_path / "x.h5", regions=[*turned[1:], "M1"])
