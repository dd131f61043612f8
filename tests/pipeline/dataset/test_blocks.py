"""One story only: blocks of it with gaps, each with its own rows and all the words before."""

from itertools import pairwise

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import ProblemError
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.grid import Grid, block_grid, block_rows
from pipeline.dataset.prepare import prepare
from pipeline.dataset.story import read_stories, read_story
from pipeline.validation.manifest import input_files
from pipeline.validation.validate import validate
from tests.helpers.datasets import N_ROWS, make_config, write_dataset, write_responses

SUBJECT = "S1"
BLOCKS = ["story-1", "story-2", "story-3", "story-4"]
OPTIONS = {
    "statistics": {"min_shift": 1, "alpha": 0.6},  # blocks are of three rows
    "blocks": {"story": {"n": 4, "gap": 2}},
    "delays": [1, 2],
}


@given(st.integers(20, 2000), st.integers(2, 12), st.integers(1, 20))
def test_blocks_are_equal_and_apart(n_rows, n, gap):
    rows = [np.arange(n_rows)[block_rows(n_rows, n, gap, k)] for k in range(1, n + 1)]
    if n_rows < gap * (n - 1) + n:
        assert min(len(block) for block in rows) == 0
        return
    lengths = [len(block) for block in rows]
    assert max(lengths) - min(lengths) <= 1
    assert sum(lengths) == n_rows - gap * (n - 1)
    assert rows[0][0] == 0
    assert rows[-1][-1] == n_rows - 1
    assert all(b[0] - a[-1] - 1 == gap for a, b in pairwise(rows))


def test_a_blocks_grid_keeps_the_storys_clock():
    grid = Grid(n_scanned=60, tr=1.5, sound_start=4.0, unused_volumes=3, trim=(5, 2))
    block = block_grid(grid, slice(10, 30))
    assert block.n_rows == 20
    np.testing.assert_array_equal(
        block.volume_starts()[block.kept], grid.volume_starts()[grid.kept][10:30]
    )
    onsets = np.array([0.0, 20.0, 31.9])
    np.testing.assert_array_equal(block.row_of(onsets), grid.row_of(onsets) - 10)


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_dataset(tmp_path / "data", ["story"], [SUBJECT])
    return make_config(tmp_path / "data", BLOCKS, {SUBJECT: None}, **OPTIONS)


def test_validation_says_that_one_story_trains_and_tests(config):
    (warning,) = validate(config)
    assert "one story, 2 TRs apart (time-blocked)" in warning.what
    assert len([path for path in input_files(config) if path.suffix == ".hf5"]) == 2  # Eng1000


def test_a_block_has_its_rows_and_the_words_of_the_story(config, tmp_path):
    source = tmp_path / "data/derivative/preprocessed_data" / SUBJECT / "story.hf5"
    repeats = np.random.default_rng(1).standard_normal((2, N_ROWS, 3)).astype(np.float32)
    write_responses(source, repeats.mean(axis=0), individual_repeats=repeats)
    dataset = Dataset.from_config(config)
    words = read_stories(dataset, BLOCKS)
    rows = []
    for block in BLOCKS:
        story = read_story(dataset, words, block)
        assert story.words["word"].tolist() == ["once", "upon"]
        path = dataset.responses(SUBJECT, block)
        assert path.is_relative_to(dataset.run)
        prepare(config, SUBJECT, block, path)
        assert len(dataset.read_responses(SUBJECT, block)) == story.grid.n_rows
        rows.append(dataset.read_responses(SUBJECT, block))
        np.testing.assert_array_equal(dataset.read_repeats(SUBJECT, block).mean(axis=0), rows[-1])
    whole = repeats.mean(axis=0)
    kept = [k for k in range(N_ROWS) if k not in (3, 4, 8, 9, 13, 14)]
    assert [len(block) for block in rows] == [3, 4, 3, 4]
    expected = np.concatenate([whole[:3], whole[5:9], whole[11:14], whole[16:]])
    np.testing.assert_array_equal(np.concatenate(rows), expected)
    assert len(expected) == len(kept)


def test_a_block_is_scaled_by_its_own_rows(config, tmp_path):
    config["responses"]["zscore"] = True
    dataset = Dataset.from_config(config)
    prepare(config, SUBJECT, "story-2", tmp_path / "block.h5")
    with (
        h5py.File(tmp_path / "block.h5") as file,
        h5py.File(dataset.source(SUBJECT, "story-2")) as s,
    ):
        own = s["data"][5:9]
        np.testing.assert_allclose(file["data"], (own - own.mean(0)) / own.std(0), atol=1e-5)


@pytest.mark.parametrize(
    ("stories", "blocks", "what"),
    [
        (["story", *BLOCKS[1:]], OPTIONS["blocks"], "'story' is cut into blocks"),
        ([*BLOCKS[:3], "story-9"], OPTIONS["blocks"], "there is no block 'story-9'"),
        (BLOCKS, {"story": {"n": 4, "gap": 1}}, "shorter than the longest of the delays"),
    ],
    ids=["overlap", "number", "gap"],
)
def test_blocks_that_cannot_be(tmp_path, stories, blocks, what):
    with pytest.raises(ProblemError, match=what):
        make_config(tmp_path, stories, {SUBJECT: None}, **OPTIONS | {"blocks": blocks})


def test_a_story_too_short_for_its_blocks(config):
    config["blocks"]["story"]["gap"] = 7
    with pytest.raises(ProblemError, match="leave no row"):
        validate(config)
