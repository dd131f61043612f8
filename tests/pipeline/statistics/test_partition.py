"""Variance partitioning: its algebra, known variances, its test, the models that it asks for."""

from functools import partial

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.load import complete
from pipeline.config.partitions import all_models, partition_models, subsets
from pipeline.core.errors import ProblemError
from pipeline.statistics.options import TestOptions
from pipeline.statistics.partition import block_errors, parts, write_partition
from pipeline.tables.partition import partition_table
from tests.helpers import configs
from tests.helpers.configs import BASIC
from tests.helpers.fits import write_fit
from tests.helpers.responses import rewrite, write_responses

changed = partial(configs.changed, BASIC)
ROWS = {"t1": 150, "t2": 120}
OPTIONS = TestOptions(
    scheme="shift", permutations=200, min_shift=10, block=20, tail="none", alpha=0.05
)


def test_two_spaces_by_hand():
    r2 = {("a",): 0.3, ("b",): 0.25, ("a", "b"): 0.4}
    found = parts({key: np.array([value]) for key, value in r2.items()}, ["a", "b"])
    assert found["a",][0] == pytest.approx(0.15)
    assert found["b",][0] == pytest.approx(0.1)
    assert found["a", "b"][0] == pytest.approx(0.15)


@given(st.lists(st.floats(0, 1), min_size=7, max_size=7))
def test_the_parts_of_three_spaces_are_those_of_a_venn_diagram(areas):
    """Each model's R2 is the area that its circles cover; the areas come out again."""
    spaces = ("a", "b", "c")
    area = dict(zip(subsets(spaces), areas, strict=True))
    r2 = {
        model: np.array([sum(v for part, v in area.items() if set(part) & set(model))])
        for model in subsets(spaces)
    }
    found = parts(r2, spaces)
    assert list(found) == list(area)
    for part, value in area.items():
        assert found[part][0] == pytest.approx(value, abs=1e-9)
    assert sum(found.values())[0] == pytest.approx(r2[spaces][0])


def test_block_errors_sum_to_what_is_not_explained():
    rng = np.random.default_rng(0)
    y = rng.standard_normal((75, 4))
    p = 0.5 * y + rng.standard_normal((75, 4)) + 3
    errors = block_errors(p, y, 20)
    assert errors.shape == (3, 4)
    residual = (y - p) - (y - p).mean(axis=0)
    expected = (residual**2).sum(axis=0) / ((y - y.mean(axis=0)) ** 2).sum(axis=0)
    np.testing.assert_allclose(errors.sum(axis=0), expected)
    assert np.isnan(block_errors(p, np.ones_like(y), 20)).all()


@pytest.fixture
def fitted(tmp_path):
    """Two independent signals, each of half of its voxels; and perfect models of either and both.

    Voxels 0-19 follow the first, 20-39 both, 40-49 nothing, 50 does not vary.
    """
    rng = np.random.default_rng(1)
    dataset = write_responses(tmp_path, ROWS, n_voxels=51)
    paths = {c: tmp_path / f"{'_'.join(c)}.h5" for c in subsets(["words", "matches"])}
    predictions = {combination: {} for combination in paths}
    for story, n in ROWS.items():
        first, second = rng.standard_normal((2, n, 51))
        first[:, 40:] = 0
        second[:, :20] = second[:, 40:] = 0
        y = first + second + rng.standard_normal((n, 51))
        y[:, 50] = 1
        rewrite(dataset, "S1", story, y)
        noise = 0.1 * rng.standard_normal((n, 51))
        for combination, p in zip(paths, (first, second, first + second), strict=True):
            predictions[combination][story] = p + noise
    for combination, path in paths.items():
        r, made = np.linspace(1, 0, 51), predictions[combination]
        write_fit(path, r, r, r[None], list(combination), ["train"], made)
    return dataset, paths


def test_unique_variance_is_found_where_it_is_and_nowhere_else(fitted, tmp_path):
    dataset, paths = fitted
    output = tmp_path / "partition.h5"
    write_partition(
        dataset,
        "S1",
        fits=paths,
        options=OPTIONS,
        seed=0,
        attributes={"subject": "S1"},
        output=output,
    )
    with h5py.File(output) as file:
        words, matches = file["part/words"][:], file["part/matches"][:]
        shared = file["part/words&matches"][:]
        q = {space: file[f"test/{space}/q"][:] for space in ("words", "matches")}
        r2 = file["r2/words+matches"][:]
    np.testing.assert_allclose(words[:20].mean(), 1 / 2, atol=0.05)
    np.testing.assert_allclose(words[20:40].mean(), 1 / 3, atol=0.05)
    np.testing.assert_allclose(matches[20:40].mean(), 1 / 3, atol=0.05)
    assert np.abs(matches[:20]).max() < 0.05
    assert np.abs(shared[:40].mean()) < 0.05
    np.testing.assert_allclose((words + matches + shared)[:50], r2[:50], atol=1e-6)
    assert (q["words"][:40] < 0.05).all()
    assert (q["matches"][20:40] < 0.05).all()
    assert (q["matches"][:20] > 0.05).mean() > 0.8
    assert np.isnan([words[50], shared[50], q["words"][50]]).all()


def test_the_table_has_the_numbers_of_the_file(fitted, tmp_path):
    dataset, paths = fitted
    output = tmp_path / "partition.h5"
    write_partition(
        dataset, "S1", fits=paths, options=OPTIONS, seed=0, attributes={}, output=output
    )
    key = ("S1", "story")
    table = partition_table({key: output}, {key: paths["words", "matches"]}).set_index("part")
    assert table["kind"].tolist() == ["unique", "unique", "shared", "total"]
    with h5py.File(output) as file:
        words = file["part/words"][:]
        assert table.loc["words", "n_fdr"] == (file["test/words/q"][:] < 0.05).sum()
        assert table.loc["matches", "p_mean"] == file["test/matches"].attrs["p_mean"]
    assert table.loc["words", "r2_mean"] == pytest.approx(np.nanmean(words))
    assert np.isnan(table.loc["words", "r2_top10"])  # 51 voxels are too few
    assert table.loc["words", "n_voxels"] == 50


def test_models_of_the_configuration_serve_a_partition():
    config = complete(changed(partitions={"story": {"words": ["eng1000"], "copy": ["ngram"]}}))
    assert partition_models(config, "story") == {
        ("words",): "eng1000",
        ("copy",): "storyCopy",
        ("words", "copy"): "ngram",
    }
    assert all_models(config) == {**config["models"], "storyCopy": ["ngram"]}


@pytest.mark.parametrize(
    ("spaces", "expected"),
    [
        ({"a": ["eng1000"], "b": ["nothing"]}, "unknown band 'nothing'"),
        ({"a": ["eng1000", "ar"], "b": ["ar"]}, "'ar' is in it twice"),
        ({"a": ["eng1000"]}, "does not have enough properties"),
    ],
    ids=["unknown", "twice", "one space"],
)
def test_partitions_that_cannot_be_made(spaces, expected):
    with pytest.raises(ProblemError, match=expected):
        complete(changed(partitions={"story": spaces}))


def test_a_partition_does_not_take_another_model_s_name():
    config = changed(partitions={"s": {"a": ["ngram"], "b": ["ar"]}}, models__sA=["eng1000"])
    with pytest.raises(ProblemError, match="'sA' is another one"):
        complete(config)
