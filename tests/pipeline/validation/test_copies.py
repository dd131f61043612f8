"""Files under another's name: transcripts with the same words, responses with the same numbers."""

import shutil

import h5py
import numpy as np
import pytest

from pipeline.core.errors import ProblemError
from pipeline.validation import responses
from pipeline.validation.validate import validate
from tests.helpers.datasets import N_ROWS, N_VOXELS, make_config, write_dataset, write_responses
from tests.helpers.faults import SUBJECT, hf5, rows, set_textgrid, set_value, textgrid

LONG = [(2.5 * i, 2.5 * i + 1, ["once", "upon", "time"][i % 3]) for i in range(20)]


def problems_of(config):
    """All that is wrong; where nothing is, there must be no warning either."""
    try:
        assert validate(config) == []
    except ProblemError as error:
        return error.problems
    return []


def one(found):
    """The only finding."""
    assert len(found) == 1, found
    return found[0]


def test_two_training_stories_of_the_same_words_are_a_warning(config, tmp_path):
    """Whatever their times and case; one other word, and they are two stories."""
    later = [(begin + 0.5, end + 0.5, word.upper()) for begin, end, word in LONG]
    set_textgrid(tmp_path, "one", *LONG)
    set_textgrid(tmp_path, "two", *later)
    warnings = validate(config)
    assert [(w.file, w.what) for w in warnings] == [
        (str(textgrid(tmp_path, "two")), f"the words are those of {textgrid(tmp_path, 'one')}")
    ]
    later[7] = (*later[7][:2], "once")
    set_textgrid(tmp_path, "two", *later)
    assert validate(config) == []


def test_the_words_of_a_training_story_under_a_test_storys_name_are_an_error(config, tmp_path):
    set_textgrid(tmp_path, "two", *LONG)
    shutil.copy(textgrid(tmp_path, "two"), textgrid(tmp_path, "four"))
    problems = problems_of(config)
    assert [p.file for p in problems] == [str(textgrid(tmp_path, "four"))]
    assert problems[0].what.startswith(f"the words are those of {textgrid(tmp_path, 'two')}")
    assert "allow.copies" in problems[0].remedy


def test_a_test_story_may_repeat_a_training_story_if_that_is_said(tmp_path, stories):
    write_dataset(tmp_path, stories, [SUBJECT])
    for story in ("two", "four"):
        set_textgrid(tmp_path, story, *LONG)
    config = make_config(tmp_path, stories, {SUBJECT: None}, allow={"copies": ["four"]})
    warning = one(validate(config))
    assert warning.file == str(textgrid(tmp_path, "four"))


def test_blocks_of_one_story_are_no_copies(tmp_path, stories):
    """They share its transcript, which is told by the check of blocks; a copy is told once."""
    write_dataset(tmp_path, stories, [SUBJECT])
    config = make_config(
        tmp_path,
        ["one", "two-1", "three", "two-2"],
        {SUBJECT: None},
        blocks={"two": {"n": 2, "gap": 4}},
        statistics={"min_shift": 2},
    )
    set_textgrid(tmp_path, "two", *LONG)
    places = [warning.place for warning in validate(config)]
    assert "two" in places and "words" not in places
    set_textgrid(tmp_path, "one", *LONG)
    assert [p.file for p in problems_of(config)] == [str(textgrid(tmp_path, "two"))]


@pytest.mark.parametrize("chunks", [None, (7, 4)])
def test_responses_under_another_storys_name_are_an_error(config, tmp_path, chunks):
    """The same numbers are told however they are stored; numbers that differ once are not."""
    with h5py.File(hf5(tmp_path, "two")) as file:
        values = file["data"][()].astype(float)
    hf5(tmp_path, "four").unlink()
    with h5py.File(hf5(tmp_path, "four"), "w") as file:
        file.create_dataset("data", data=values, chunks=chunks)
    problem = one(problems_of(config))
    assert problem.file == str(hf5(tmp_path, "four"))
    assert problem.what == f"the responses are those of {hf5(tmp_path, 'two')}"
    set_value(tmp_path, "four", (3, 5), 9.0)
    assert validate(config) == []


def test_responses_of_equal_ranges_are_no_copies(config, tmp_path):
    """Clipped values, as of a table of few regions: every row and voxel has the same range."""
    signs = np.sign(rows())
    signs[:2], signs[:, :2] = 1, 1
    signs[0, 0::2], signs[1, 1::2], signs[0::2, 0], signs[1::2, 1] = -1, -1, -1, -1
    other = signs.copy()
    other[5:9, 5:9] *= -1
    for story, values in (("two", signs), ("four", other)):
        write_responses(hf5(tmp_path, story), values)
        assert (values.min(axis=0) == -1).all() and (values.max(axis=1) == 1).all()
    assert problems_of(config) == []


def test_subjects_with_the_same_responses_are_an_error_told_once(tmp_path, stories):
    write_dataset(tmp_path, stories, [SUBJECT, "S2"])
    for story in stories:
        shutil.copy(hf5(tmp_path, story), hf5(tmp_path, story, "S2"))
    config = make_config(tmp_path, stories, {SUBJECT: None, "S2": None})
    problem = one(problems_of(config))
    assert problem.what == (
        f"the responses to one, two, three, four are those of {SUBJECT} ({hf5(tmp_path, 'one')})"
    )
    assert problem.file == str(hf5(tmp_path, "one", "S2"))


def test_one_file_for_two_subjects_is_an_error(tmp_path, stories):
    write_dataset(tmp_path, stories, [SUBJECT])
    path = f"derivative/preprocessed_data/{SUBJECT}/{{story}}.hf5"
    config = make_config(
        tmp_path, stories, {SUBJECT: None, "S2": None}, responses={"path": path}, mask=None
    )
    problem = one(problems_of(config))
    assert "{subject}" in problem.remedy


@pytest.mark.parametrize("block_bytes", [64, 1000, 2**20])
def test_a_digest_is_that_of_the_numbers_whatever_the_blocks(tmp_path, monkeypatch, block_bytes):
    path = tmp_path / "story.hf5"
    write_responses(path, rows().astype(np.float32))
    whole = responses.check_responses(path, N_ROWS, {}).digest
    monkeypatch.setattr(responses, "BLOCK_BYTES", block_bytes)
    assert responses.check_responses(path, N_ROWS, {}).digest == whole
    swapped = rows().astype(np.float32)
    swapped[[3, 4]] = swapped[[4, 3]]
    assert swapped.shape == (N_ROWS, N_VOXELS)
    write_responses(path, swapped)
    assert responses.check_responses(path, N_ROWS, {}).digest != whole
