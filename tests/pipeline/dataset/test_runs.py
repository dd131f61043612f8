"""The table of runs: files found by wildcards, gaps, and rows that cannot be right."""

import numpy as np
import pytest

from pipeline.config.load import complete
from pipeline.config.runs import WHOLE_RUNS
from pipeline.core.errors import ProblemError
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.runs import RunTable
from pipeline.validation.dataset import check_dataset
from tests.helpers.datasets import N_VOXELS, write_responses

HEAD = ["subject", "story", "responses", "transcript", "start"]
REST = {
    "name": "x",
    "stories": {"test": ["e"]},
    "features": {"wordrate": None},
    "models": {"wordrate": ["wordrate"]},
    "baseline": "wordrate",
    "fit": {"n_folds": 3},
    "timing": {"tr": 2.0},
}


def write(path, rows, head=HEAD):
    lines = ["\t".join(head), *("\t".join(map(str, row)) for row in rows)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def recorded(root, subjects=("S1", "S2"), stories="abcde"):
    """Responses and words of every subject and story, under names that say little; the rows."""
    rng, rows = np.random.default_rng(0), []
    for i, subject in enumerate(subjects):
        for k, story in enumerate(stories):
            name = f"scans/{subject}_{7 * i + k:02}_bold.hf5"
            write_responses(root / name, rng.standard_normal((30, N_VOXELS)))
            words = root / f"words/{story}.csv"
            words.parent.mkdir(exist_ok=True)
            said = "".join(f"w{story}{n},{3 * n},{3 * n + 1}\n" for n in range(18))
            words.write_text("word,onset,offset\n" + said)
            rows.append([subject, story, name, f"words/{story}.csv", 1.5])
    return rows


def configured(root, table, **changes):
    return complete({"data_root": str(root), "runs": str(table)} | REST | changes)


def test_subjects_stories_and_files_are_those_of_the_table(tmp_path):
    rows = recorded(tmp_path)
    rows[6][2] = "n/a"  # S2 did not hear b
    rows[7][2] = "scans/S2_0[9]_*.hf5"
    config = configured(tmp_path, write(tmp_path / "here/../runs.tsv", rows))
    assert config["subjects"] == {"S1": {"exclude": []}, "S2": {"exclude": ["b"]}}
    assert config["stories"] == {"train": ["a", "b", "c", "d"], "test": ["e"]}
    for key, implied in WHOLE_RUNS.items():
        assert config[key] | implied == config[key]
    assert complete(config) == config
    dataset = Dataset.from_config(config)
    assert dataset.source("S2", "c") == tmp_path / "scans/S2_09_bold.hf5"
    assert dataset.transcript("c") == tmp_path / "words/c.csv"
    assert dataset.grid_of("c", 30).sound_start == 1.5
    assert dataset.file_of("{confounds}", "S1", "a") == tmp_path / "runs.tsv"
    checked = check_dataset(config)
    assert checked.findings.problems == []
    assert checked.n_rows == dict.fromkeys("abcde", 30)
    assert [w.what for w in checked.findings.warnings] == ["S2 has no responses to b"]


def test_what_is_said_otherwise_stays(tmp_path):
    table = write(tmp_path / "runs.tsv", recorded(tmp_path))
    config = configured(
        tmp_path, table, subjects={"S2": None}, responses={"zscore": False}, timing={"trim": [3, 1]}
    )
    assert config["subjects"] == {"S2": {"exclude": []}}
    assert not config["responses"]["zscore"]
    assert config["timing"]["trim"] == [3, 1]
    assert config["timing"]["sound_start"] == 0


def test_volumes_that_the_configuration_says_are_held_against_the_files(tmp_path):
    table = write(tmp_path / "runs.tsv", recorded(tmp_path, ["S1"]))
    volumes = {"a": 30, "b": 31, "c": 30, "d": 30, "e": 30}
    config = configured(tmp_path, table, responses={"volumes": volumes})
    (problem,) = check_dataset(config).findings.problems
    assert "S1_01_bold.hf5" in str(problem.file)
    assert "30 rows, but the scanned volumes and the trimming make it 31" in problem.what


BROKEN = {
    "two runs of a story": (3, [0, 1], "S1, a", "two files for one run"),
    "a wildcard of several files": (2, "scans/S1_*_bold.hf5", "line 2, responses", "5 files for"),
    "a wildcard of none": (2, "scans/S9_*.hf5", "line 2, responses", "no file is called"),
    "no words": (3, "n/a", "line 2", "neither transcript nor events"),
    "another transcript": (3, "words/b.csv", "S1, b", "the transcript is"),
    "another start": (4, "9.5", "S2, a", "the sound starts at"),
    "no start": (4, "soon", "line 2, start", "'soon' is no number of seconds"),
    "no subject": (0, "sub-01", "line 2", "the subject is 'sub-01'"),
    "no story": (1, "n/a", "line 2", "the story 'n/a'"),
    "one file twice": (2, "scans/S1_01_bold.hf5", "S1, b", "the responses are those of line 2"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_rows_that_cannot_be_right(tmp_path, name):
    """Each is told with its line, and beside what is wrong with the files."""
    column, cell, place, said = BROKEN[name]
    rows = recorded(tmp_path)
    if name == "two runs of a story":
        rows.append([*rows[0][:2], *rows[8][2:]])
        rows[-1][3] = rows[0][3]
    elif name == "another transcript":
        rows[5][3], place = cell, "S2, a"
    else:
        rows[0][column] = cell
    (tmp_path / "scans/S2_10_bold.hf5").write_bytes(b"")
    stories = {"train": ["a", "b", "c", "d"], "test": ["e"]}
    table = write(tmp_path / "runs.tsv", rows)
    config = configured(tmp_path, table, subjects={"S1": None, "S2": None}, stories=stories)
    found = check_dataset(config).findings.problems
    assert any(place in p.place and said in p.what and p.remedy for p in found), found
    assert any("S2_10" in str(p.file) and "empty" in p.what for p in found)


@pytest.mark.parametrize(
    ("head", "rows", "said"),
    [
        (["subject", "responses"], [["S1", "x.hf5"]], "there is no column 'story'"),
        ([*HEAD, "runs"], [["S1", "a", "x.hf5", "t.csv", "0", "1"]], "unknown column 'runs'"),
        (HEAD, [["S1", "a", "n/a", "t.csv", "0"]], "no row names responses"),
    ],
)
def test_a_table_that_is_none(tmp_path, head, rows, said):
    with pytest.raises(ProblemError, match=said):
        RunTable.read(write(tmp_path / "runs.tsv", rows, head))


def test_no_table(tmp_path):
    with pytest.raises(ProblemError, match=r"there is no table of runs.*pipeline\.runs"):
        configured(tmp_path, tmp_path / "runs.tsv")


def test_a_story_and_a_subject_that_the_table_does_not_have(tmp_path):
    table = write(tmp_path / "runs.tsv", recorded(tmp_path))
    with pytest.raises(ProblemError) as caught:
        configured(tmp_path, table, stories={"test": ["f"]}, subjects={"S1": None, "S3": None})
    assert [p.what for p in caught.value.problems] == [
        "the table of runs has no story 'f'; there are a, b, c, d, e",
        "the table of runs has no subject 'S3'; there are S1, S2",
    ]


def test_a_story_that_nobody_has_responses_to(tmp_path):
    """It is no training story by itself; where it is asked for, the reason is told."""
    rows = recorded(tmp_path, ["S1"])
    rows[1][2] = "n/a"
    rows[2][0] = "sub-1"
    table = write(tmp_path / "runs.tsv", rows)
    told = ["too short", "no responses to the story 'b'"]
    listed = [{"test": ["e"]}, {"train": ["a", "b", "d"], "test": ["e"]}]
    for stories, what in zip(listed, told, strict=True):
        with pytest.raises(ProblemError) as caught:
            configured(tmp_path, table, stories=stories)
        assert "the subject is 'sub-1'" in str(caught.value)
        assert what in str(caught.value)


def test_events_of_subjects_are_the_words_of_the_story_if_they_agree(tmp_path):
    rows = recorded(tmp_path)
    for row in rows:
        text = (tmp_path / row[3]).read_text()
        row[3] = row[2].replace(".hf5", "_events.csv")
        (tmp_path / row[3]).write_text(text)
    table = write(tmp_path / "runs.tsv", rows, ["subject", "story", "responses", "events", "start"])
    config = configured(tmp_path, table)
    assert Dataset.from_config(config).transcript("b").name == "S1_01_bold_events.csv"
    assert check_dataset(config).findings.problems == []
    late = tmp_path / "scans/S2_08_bold_events.csv"
    late.write_text(late.read_text().replace(",3,4\n", ",3.2,4\n"))
    (problem,) = check_dataset(config).findings.problems
    assert (problem.file, problem.place) == (late, "events")
