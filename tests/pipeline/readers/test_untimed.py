"""Words without times, as whisperX leaves numbers: refused, skipped or interpolated."""

import numpy as np
import pytest

from pipeline.core.errors import ProblemError
from pipeline.readers.formats import read_transcript
from pipeline.validation.validate import validate
from tests.helpers.datasets import make_config, write_dataset

# As a table of whisperX: two words in a row lack times, and so do the first and the last.
ROWS = [("well", "", ""), ("in", "1.0", "1.2"), ("2014", "", ""), ("1/2", "", ""),
        ("we", "2.0", "2.2"), ("went", "2.1", "2.5"), ("7", "", ""), ("home", "2.4", "3"),
        ("9", "", "")]  # fmt: skip


@pytest.fixture
def table(tmp_path):
    """A table of words with these rows; returns its path."""

    def write(rows=ROWS, path=tmp_path / "s.csv"):
        path.write_text("word,onset,offset\n" + "".join(",".join(row) + "\n" for row in rows))
        return path

    return write


def test_they_are_refused_and_the_remedy_is_told(table):
    with pytest.raises(ProblemError) as caught:
        read_transcript(table(), {})
    assert [problem.place.split(", ")[1] for problem in caught.value.problems] == [
        "line 2", "line 4", "line 5", "line 8", "line 10",
    ]  # fmt: skip
    assert all("`transcripts.untimed`" in problem.remedy for problem in caught.value.problems)


def test_they_are_skipped(table):
    read = read_transcript(table(), {"untimed": "skip"})
    assert read["word"].tolist() == ["in", "we", "went", "home"]
    assert "5 of 9 words have no times: they were left out" in read.attrs["warning"]


def test_they_share_the_time_between_their_neighbours(table):
    read = read_transcript(table(), {"untimed": "interpolate"}).set_index("word")
    np.testing.assert_allclose(read.loc["2014"], [1.2, 1.6])
    np.testing.assert_allclose(read.loc["1/2"], [1.6, 2.0])
    np.testing.assert_allclose(read.loc["7"], [2.5, 2.5])  # its neighbours overlap
    np.testing.assert_allclose(read.loc["well"], [1.0, 1.0])
    np.testing.assert_allclose(read.loc["9"], [3.0, 3.0])
    np.testing.assert_allclose(read.loc["in"], [1.0, 1.2])
    assert "5 of 9 words have no times" in read.attrs["warning"]


def test_a_table_with_all_times_is_read_as_ever(table):
    rows = [row for row in ROWS if row[1]]
    reads = [read_transcript(table(rows), {"untimed": mode}) for mode in ("skip", "interpolate")]
    assert all(read.equals(read_transcript(table(rows), {})) for read in reads)
    assert not any(read.attrs for read in reads)


@pytest.mark.parametrize("mode", ["skip", "interpolate"])
@pytest.mark.parametrize("row", [("2014", "soon", ""), ("2014", "", "3"), ("2014", "inf", "")])
def test_half_a_time_is_a_fault_all_the_same(table, mode, row):
    with pytest.raises(ProblemError, match="no numbers of seconds"):
        read_transcript(table([*ROWS, row]), {"untimed": mode})


@pytest.mark.parametrize("mode", ["skip", "interpolate"])
def test_without_any_time_there_is_no_transcript(table, mode):
    with pytest.raises(ProblemError):
        read_transcript(table([(word, "", "") for word, _, _ in ROWS]), {"untimed": mode})


def test_the_validation_counts_them(table, tmp_path):
    stories = ["one", "two", "three", "four"]
    write_dataset(tmp_path, stories, ["S1"])
    for story in stories:
        table([row for row in ROWS if row[1] or story == "two"], tmp_path / f"{story}.csv")
    given = {"path": "{story}.csv", "untimed": "interpolate"}
    (warning,) = validate(make_config(tmp_path, stories, {"S1": None}, transcripts=given))
    assert warning.file == str(tmp_path / "two.csv")
    assert "5 of 9 words have no times: they were put between their neighbours" in warning.what
