"""`python -m pipeline.new` where names, patterns or options are odd: nothing is lost in silence."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.config.load import load
from pipeline.dataset.runs import RunTable
from pipeline.new.choices import split
from pipeline.new.command import main
from pipeline.new.files import find
from pipeline.readers.formats import RESPONSES
from tests.helpers import own

OUT, TABLE = Path("config/mine.yaml"), Path("config/mine_runs.tsv")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(names, subjects=("S01", "S02"), regions="ABC", tr=None):
    """Stories, and tables of regions of them under the subjects' names."""
    rng = np.random.default_rng(0)
    for name, n in zip(names, own.LENGTHS.values(), strict=False):
        story = name.partition("[")[0]
        own.write_words(Path(f"words/{story}.csv"), own.words_of(n, 2, rng))
        for subject in subjects:
            values = rng.standard_normal((n, len(regions)))
            own.write_regions(Path(f"data/{subject}/{name}.csv"), values, regions, tr=tr)


def new(responses, *options):
    main(["--transcripts", "words", "--responses", *responses, *options])
    return load(OUT), RunTable.read(TABLE)


@pytest.mark.parametrize(
    ("pattern", "n"),
    [
        ("data/S0[12]/*.csv", 6), ("data/S0[!1]/*.csv", 3), ("data/**", 7), ("data/**/*.csv", 7),
        ("data/S01/a[1].csv", 1), ("data/S0?/a[[]1].csv", 2), ("data/[S-T]0[!\\2]/b.csv", 1),
    ],
)  # fmt: skip
def test_a_pattern_stands_for_what_it_does_in_a_shell(pattern, n):
    write(["a[1]", "b", "c"])
    own.write_regions(Path("data/d.csv"), np.ones((9, 3)), "ABC")
    assert len(find([pattern], RESPONSES, "--responses")) == n


def test_files_whose_names_have_brackets_are_read():
    """A shell gives their names as they are; in a table of runs they would be wildcards."""
    names = ["a[1]", "b[1]", "c[1]", "d[1]"]
    write(names)
    _, table = new(map(str, sorted(Path("data").rglob("*.csv"))))
    assert len(table.recorded) == 8
    assert table.of("S02", "b").responses == Path("data/S02/b[1].csv")


def test_a_table_of_runs_in_a_folder_whose_name_has_brackets(monkeypatch):
    write("abcd")
    new(["data"])
    moved = Path("study [2]")
    moved.mkdir()
    for name in ("words", "data", "config"):
        Path(name).rename(moved / name)
    text = (moved / TABLE).read_text().replace("data/S01/a.csv", "data/S01/[a].csv")
    (moved / TABLE).write_text(text)
    table = RunTable.read(moved.absolute() / TABLE)
    assert table.problems == ()
    assert table.of("S01", "a").responses == moved.absolute() / "data/S01/a.csv"


def test_the_folder_of_the_configuration_may_be_a_link():
    write("abcd")
    Path("far/away").mkdir(parents=True)
    Path("config").symlink_to("far/away")
    _, table = new(["data"])
    assert all(run.responses.is_file() for run in table.recorded)


def test_two_subjects_whose_labels_are_the_same(capsys):
    write("abc", ["1-1"])
    write("de", ["11"])
    with pytest.raises(SystemExit, match=r"1-1 and 11: one subject or two\?"):
        new(["data/{subject}/{story}.csv"])
    assert not TABLE.exists()


def test_a_region_that_the_first_file_has_not_is_not_lost_in_silence():
    """A clock among the columns has the others listed."""
    write("abcd", ["S01"], tr=2)
    write("abcd", ["S02"], "ABCD", tr=2)
    config, _ = new(["data"])
    assert config["responses"]["columns"] == ["A", "B", "C"]
    assert "GUESS: D is not in a.csv, and left out of all files." in OUT.read_text()


@pytest.mark.parametrize(
    "content",
    [
        "", "word,onset,offset\n", "word;onset;offset\nna;0;1\n",
        "\u2603,\u2603,\u2603\n1,2,3\n", "word,onset,offset\n\N{HUGGING FACE},0,1\n",
    ],
    ids=["empty", "header", "semicolons", "no names", "no letters"],
)  # fmt: skip
def test_a_story_whose_table_is_no_table_of_words_is_not_lost(content):
    write("abcde")
    Path("words/b.csv").write_text(content)
    with pytest.raises(SystemExit) as caught:
        new(["data"], "--tr", "2")
    said = str(caught.value)
    assert "words/b.csv" in said and "no table of words" in said and not OUT.exists()


def test_tables_none_of_which_is_of_words_are_named():
    write("abc")
    for name in "abc":
        Path(f"words/{name}.csv").write_text("")
    with pytest.raises(SystemExit) as caught:
        new(["data"], "--tr", "2")
    assert "a.csv" in str(caught.value) and "there is no file" not in str(caught.value)


def test_where_rows_and_words_do_not_tell_the_repetition_time_nothing_rests_on_it():
    write("abcde")
    Path("data/S02/a.csv").rename("data/x.csv")
    Path("data/S02/e.csv").rename("data/S02/a.csv")
    Path("data/x.csv").rename("data/S02/e.csv")
    with pytest.raises(SystemExit) as caught:
        new(["data"])
    assert "--tr" in str(caught.value)
    assert "--sound-start" not in str(caught.value)


def test_a_test_story_given_twice_and_a_name_that_a_shell_would_split(capsys):
    write("abcde")
    main(
        [
            *["--transcripts", "words", "--responses", "data", "--test", "a", "a", "--out"],
            "my study.yaml",
        ]
    )
    assert load("my study.yaml")["stories"]["test"] == ["a"]
    assert "Next: snakemake --configfile 'my study.yaml'" in capsys.readouterr().out


def test_stories_that_are_all_called_test():
    rows = {("S1", story): 80 for story in ("test1", "test2", "test3", "test4", "test5")}
    found = split([story for _, story in rows], rows, 4, 0)
    assert len(found.test) == 1
    assert "drawn" in found.rule


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--test", "a", "b", "c"], "these are all stories: none is left to train on"),
        (["--tr", "0"], "0 s is no repetition time"),
        (["--tr", "nan"], "nan is no number of seconds"),
        (["--sound-start", "inf"], "inf is no number of seconds"),
    ],
)
def test_options_that_cannot_be(capsys, options, said):
    write("abc")
    with pytest.raises(SystemExit) as caught:
        new(["data"], *options)
    assert said in str(caught.value) + capsys.readouterr().err
    assert not OUT.exists()
