"""`python -m pipeline.new`: data in many layouts become a configuration that validates."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.config.load import load
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.runs import RunTable
from pipeline.new.choices import split
from pipeline.new.command import main
from pipeline.new.contents import seconds_per_row
from tests.helpers import fmriprep, own

RNG = np.random.default_rng(0)
OUT = Path("config/mine.yaml")
TABLE = Path("config/mine_runs.tsv")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Paths are relative to the folder in which people stand."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def values(n_rows, n_columns=8):
    return RNG.standard_normal((n_rows, n_columns))


def new(transcripts, responses, *options):
    main(["--transcripts", transcripts, "--responses", responses, *map(str, options)])
    return load(OUT), RunTable.read(TABLE)


def refused(capsys, transcripts, responses, *options):
    """What is said; nothing is written."""
    with pytest.raises(SystemExit) as caught:
        new(transcripts, responses, *options)
    assert not OUT.exists()
    assert not TABLE.exists()
    said = str(caught.value)
    assert said.startswith("Nothing was written: ")
    assert "Remedy: " in said
    return said


def write_hdf5_stories(folder="bold", tr=2.0, **names):
    for story, n in own.LENGTHS.items():
        own.write_textgrid(Path(f"words/{story}.TextGrid"), own.words_of(n, tr, RNG))
        own.write_hdf5(Path(folder) / f"{names.get(story, story)}.hf5", values(n))


def test_one_subject_with_a_file_a_story():
    write_hdf5_stories("bold/UTS03", tr=1.5)
    config, table = new("words", "bold")
    assert table.subjects == ["UTS03"]
    assert table.stories == ["five", "four", "one", "three", "two"]
    assert table.of("UTS03", "two").responses.name == "two.hf5"
    assert table.words("two") == Path("words/two.TextGrid")
    assert config["timing"]["tr"] == 1.5
    assert config["delays"] == [1, 2, 3, 4, 5]
    assert config["horizon"] == 3
    text = OUT.read_text()
    assert "GUESS: nothing states it: rows against the stories' lengths give 1.5 s a row." in text
    assert "GUESS: names differ by story only: all are taken to be of one subject, UTS03." in text
    assert len(config["stories"]["test"]) == 1
    assert len(config["stories"]["train"]) == 4
    assert config["fit"]["n_folds"] == 4


def write_regions(subjects=("S01", "S02", "S03")):
    names = ("Word", "Start", "End")
    for story, n in own.LENGTHS.items():
        own.write_words(Path(f"stim/{story}_words.csv"), own.words_of(n, 2, RNG), names)
        for subject in subjects:
            own.write_regions(Path(f"data/{subject}/{story}.csv"), values(n, 3), "ABC", tr=2)


@pytest.mark.parametrize(("step", "said"), [(1.5, "'time' rises by 1.5 a row"), (1, "--tr")])
def test_the_repetition_time_of_a_clock_among_the_regions(capsys, step, said):
    """Stories of one length, in which words end early, leave it open; a count of rows does, too."""
    for story in "abcde":
        own.write_words(Path(f"stim/{story}.csv"), own.words_of(80, 1.5, RNG))
        own.write_regions(Path(f"data/{story}.csv"), values(100, 3), "ABC", tr=step)
    if step == 1:
        assert said in refused(capsys, "stim", "data")
        return
    config, _ = new("stim", "data")
    assert config["timing"]["tr"] == step
    assert said in OUT.read_text()


def test_several_subjects_with_a_table_of_regions_a_story():
    """Columns of words have other names, a column of the responses is a clock."""
    write_regions()
    config, table = new("stim", "data")
    assert table.subjects == ["S01", "S02", "S03"]
    assert len(table.recorded) == 15
    columns = config["transcripts"]["columns"]
    assert [columns[role] for role in ("word", "onset", "offset")] == ["Word", "Start", "End"]
    assert config["responses"]["columns"] == ["A", "B", "C"]
    assert config["response_components"] == 3
    assert config["timing"]["tr"] == 2.0
    assert Dataset.from_config(config).read_words("one")["word"].isin(own.WORDS).all()
    assert "GUESS: subjects by what differs in the names: S01, S02, S03." in OUT.read_text()


def test_nifti_runs_under_bids_names_with_a_mask(capsys):
    """Run numbers differ by subject: the task is the story."""
    own.write_mask(Path("bids/space-MNI152_mask.nii.gz"))
    for subject in ("01", "02"):
        for run, (story, n) in enumerate(own.LENGTHS.items(), start=int(subject)):
            stem = f"bids/sub-{subject}/func/sub-{subject}_task-{story}_run-{run}"
            own.write_events(
                Path(f"{stem}_events.tsv"), own.words_of(n, 2, np.random.default_rng(1))
            )
            if (subject, story) != ("02", "two"):
                own.write_nifti(Path(f"{stem}_bold.nii.gz"), values(n, 18), 2.0)
    said = refused(capsys, "bids", "bids")
    assert "[--mask]: voxels of images are taken out by a mask, and none is given" in said
    assert "there is bids/space-MNI152_mask.nii.gz" in said
    config, table = new("bids", "bids", "--mask", "bids/space-MNI152_mask.nii.gz")
    assert table.subjects == ["01", "02"]
    assert table.missing("02") == ["two"]
    run = table.of("01", table.stories[0])
    assert (run.events.name, run.run) == ("sub-01_task-five_run-5_events.tsv", "5")
    assert table.of("02", "five").run == "6"
    assert config["mask"]["space"] == "MNI"
    assert config["transcripts"]["where"] == {"trial_type": "word"}
    assert config["transcripts"]["columns"]["word"] == "value"
    assert "as the headers or sidecars of 9 of 9 files say" in OUT.read_text()
    assert "gap: 02 has no responses to two" in capsys.readouterr().out


def test_names_that_differ_in_case_and_leading_zeros(capsys):
    for number, n in enumerate(own.LENGTHS.values(), start=1):
        own.write_textgrid(Path(f"words/Story_{number}.TextGrid"), own.words_of(n, 2, RNG))
        for subject in ("s1", "s2"):
            if (number, subject) != (4, "s2"):
                own.write_hdf5(Path(f"bold/{subject}/STORY{number:02d}_clean.hf5"), values(n))
    own.write_hdf5(Path("bold/s1/localizer.hf5"), values(60))
    config, table = new("words", "bold")
    assert table.stories == [f"Story_{number}" for number in range(1, 6)]
    assert table.of("s2", "Story_3").responses == Path("bold/s2/STORY03_clean.hf5")
    assert table.missing("s2") == ["Story_4"]
    said = capsys.readouterr().out
    assert "gap: s2 has no responses to Story_4" in said
    assert "left out: bold/s1/localizer.hf5" in said
    assert "#   bold/s1/localizer.hf5" in OUT.read_text()
    assert config["stories"]["test"] != ["Story_4"]  # which not all heard


def test_a_mask_a_subject_and_several_spaces(capsys):
    for subject in ("01", "02"):
        own.write_mask(Path(f"bold/{subject}/{subject}_mask.nii.gz"))
        for story, n in own.LENGTHS.items():
            own.write_textgrid(Path(f"words/{story}.TextGrid"), own.words_of(n, 2, RNG))
            for space in ("T1w", "MNI"):
                path = f"bold/{subject}/sub-{subject}_task-{story}_space-{space}_bold.nii.gz"
                own.write_nifti(Path(path), values(n, 18), 2.0)
    mask = "bold/{subject}/{subject}_mask.nii.gz"
    said = refused(capsys, "words", "bold", "--mask", mask)
    assert said.count("two files for one run of") == 10
    _, table = new("words", "bold/*/*space-T1w*.nii.gz", "--mask", mask)
    assert table.subjects == ["01", "02"]
    assert "space-T1w" in table.of("01", "one").responses.name


def test_a_folder_a_story_and_few_stories():
    """Names like one/words.csv; the stories that do not test are cut into blocks."""
    for story, n in list(own.LENGTHS.items())[:3]:
        own.write_words(Path(f"data/{story}/words.csv"), own.words_of(n, 2, RNG))
        own.write_hdf5(Path(f"data/{story}/bold.hf5"), values(n))
    config, table = new("data", "data", "--test", "two")
    assert table.stories == ["one", "three", "two"]
    assert config["blocks"] == {name: {"n": 3, "gap": 10} for name in ("one", "three")}
    assert config["stories"]["test"] == ["two"]


@pytest.mark.parametrize("form", ["surface", "cifti"])
def test_the_surface(form):
    fmriprep.write_tree(Path("tree"), subjects=["01", "02"], forms=[form])
    config, table = new("tree/stimuli", "tree/derivatives")
    assert table.subjects == ["01", "02"]
    assert len(table.recorded) == 10
    assert config["timing"]["tr"] == fmriprep.TR
    assert config["mask"] is None


def test_braces_say_what_names_do_not(capsys):
    """Two numbers in a name: which is the story's, nobody can know."""
    for number, n in enumerate(own.LENGTHS.values(), start=1):
        own.write_words(Path(f"words/{number}.csv"), own.words_of(n, 2, RNG))
        for subject in (1, 2):
            own.write_hdf5(Path(f"bold/p{subject}_{number}.hf5"), values(n))
    said = refused(capsys, "words", "bold")
    assert "p1_2.hf5 [--responses]: several stories: 1, 2" in said
    assert "say it with braces" in said
    _, table = new("words/{story}.csv", "bold/{subject}_{story}.hf5")
    assert table.subjects == ["p1", "p2"]
    assert table.of("p2", "1").responses == Path("bold/p2_1.hf5")


def test_a_section_is_no_run(capsys):
    """Numbers of other things are not compared, as of ds003643, whose run 9 is any section."""
    for number, n in enumerate(own.LENGTHS.values(), start=1):
        own.write_textgrid(Path(f"words/section{number}.TextGrid"), own.words_of(n, 2, RNG))
        own.write_hdf5(Path(f"bold/sub-01/sub-01_task-prince_run-{number + 2}.hf5"), values(n))
    said = refused(capsys, "words", "bold")
    assert "no name of responses has that of a transcript" in said
    assert "write a table of runs" in said


def test_rows_and_words_that_do_not_fit(capsys):
    """300 s of words, 40 rows of 2 s: told with the files, at once with what else is wrong."""
    own.write_mask(Path("mask.nii.gz"))
    for story in own.LENGTHS:
        own.write_words(Path(f"words/{story}.csv"), own.words_of(150, 2, RNG))
        own.write_nifti(
            Path(f"bold/{story}.nii.gz"), values(40 if story == "two" else 150, 18), 2.0
        )
    with pytest.raises(SystemExit) as caught:
        new("words", "bold", "--mask", "mask.nii.gz")
    said = str(caught.value)
    assert "two.csv [words]" in said
    assert "are outside the scan: they begin from 0.3 to 299.5 s" in said
    assert "Remedy: " in said
    assert "The configuration is written" in said
    assert OUT.exists()


def test_files_that_begin_while_the_sound_plays(capsys):
    """As those of ds003020: words of all stories begin after the last row."""
    for story, n in own.LENGTHS.items():
        words = own.words_of(n + 12, 2, RNG)  # 24 s of sound before, and after, the rows
        own.write_textgrid(Path(f"derivative/TextGrids/{story}.TextGrid"), words)
        own.write_hdf5(Path(f"derivative/data/{story}.hf5"), values(n))
    folders = "derivative/TextGrids", "derivative/data"
    said = refused(capsys, *folders)
    assert "[--sound-start]: words of 5 of 5 stories begin after the last row" in said
    assert "ds003020" not in said
    Path("derivative/respdict.json").write_text("{}")
    assert "take config/lebel.yaml" in refused(capsys, *folders)
    config, _ = new(*folders, "--sound-start", "-10")
    assert config["timing"]["sound_start"] == -10
    assert config["timing"]["tr"] == 2


def test_another_repetition_time_than_the_files_say(capsys):
    fmriprep.write_tree(Path("tree"), forms=["cifti"])
    folders = "tree/stimuli", "tree/derivatives"
    said = refused(capsys, *folders, "--tr", 1.5)
    assert said.count("the header or sidecar says 2 s, --tr 1.5 s") == 5
    assert "2000 s is no repetition time" in refused(capsys, *folders, "--tr", 2000)


def test_a_repetition_time_that_nothing_says_is_asked_for(capsys):
    for story in own.LENGTHS:
        own.write_textgrid(Path(f"words/{story}.TextGrid"), own.words_of(150, 2, RNG))
        own.write_hdf5(Path(f"bold/{story}.hf5"), values(40))
    said = refused(capsys, "words", "bold")
    assert "[--tr]: nothing says the repetition time" in said
    assert "40 rows, 300 s of words" in said


def test_all_that_is_wrong_with_the_contents_is_told_at_once(capsys):
    write_hdf5_stories()
    Path("words/one.TextGrid").write_text("no TextGrid")
    Path("bold/two.hf5").write_bytes(b"no HDF5")
    Path("bold/three.hf5").write_bytes(b"")
    said = refused(capsys, "words", "bold")
    assert "3 problem(s)" in said
    for name in ("one.TextGrid", "two.hf5", "three.hf5"):
        assert name in said


def test_nothing_is_overwritten(capsys):
    write_hdf5_stories()
    new("words", "bold")
    before = OUT.read_text(), TABLE.read_text()
    with pytest.raises(SystemExit, match="there is such a file"):
        new("words", "bold")
    assert (OUT.read_text(), TABLE.read_text()) == before


def spoil_twice(here):
    own.write_hdf5(Path("bold/again/ONE.hf5"), values(80))


def spoil_format(here):
    own.write_regions(Path("bold/six.csv"), values(80, 3), "ABC")


def spoil_transcript(here):
    own.write_textgrid(Path("words/more/One.TextGrid"), own.words_of(80, 2, RNG))


def spoil_with_a_line(here):
    """A comment in YAML ends where the line does."""
    own.write_hdf5(Path("bold/x\n__use_yte__: true\n.hf5"), values(80))


def spoil_name(here):
    for path in Path("bold").iterdir():
        path.rename(path.with_name(f"run-{ord(path.name[1])}.hf5"))


AMBIGUOUS = {
    "two files for a run": (spoil_twice, "whose is it? the names are not built alike"),
    "two formats": (spoil_format, "files of 2 formats: 5 that end in .hf5; 1 that end in .csv"),
    "a line's end": (spoil_with_a_line, "a control character is in the name"),
    "two transcripts": (spoil_transcript, "two transcripts of the story"),
    "other names": (spoil_name, "no name of responses has that of a transcript"),
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_nothing_is_guessed_in_silence(capsys, here, name):
    write_hdf5_stories()
    spoil, said = AMBIGUOUS[name]
    spoil(here)
    assert said in refused(capsys, "words", "bold")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("s1_{story}_a", "2 files for"),
        ("S1/{story}", "S1 and s01: one subject or two?"),
        ("g1/s1_{story}", "subjects may be"),
    ],
)
def test_subjects_that_names_leave_open(capsys, name, said):
    write_hdf5_stories("bold/s01")
    if name.startswith("g1"):
        for group, subject in (("g1", "a"), ("g1", "b"), ("g2", "a"), ("g2", "b")):
            for story, n in own.LENGTHS.items():
                own.write_hdf5(Path(f"more/{group}/{subject}/{story}.hf5"), values(n))
        assert said in refused(capsys, "words", "more")
        return
    for story, n in own.LENGTHS.items():
        own.write_hdf5(Path("bold") / f"{name.format(story=story)}.hf5", values(n))
    if name.startswith("S1"):
        assert said in refused(capsys, "words", "bold")
    else:
        assert "whose is it?" in refused(capsys, "words", "bold")


def test_columns_that_may_be_two_things(capsys):
    for story, n in own.LENGTHS.items():
        names = ("token", "begin", "end")
        own.write_words(Path(f"words/{story}.csv"), own.words_of(n, 2, RNG), names)
        table = pd.read_csv(f"words/{story}.csv")
        table["text"] = table["token"].str.upper()
        table.to_csv(f"words/{story}.csv", index=False)
        own.write_hdf5(Path(f"bold/{story}.hf5"), values(n))
    assert "word may be the column 'token' or 'text'" in refused(capsys, "words", "bold")
    config, _ = new("words", "bold", "--columns", "word=token")
    assert config["transcripts"]["columns"]["word"] == "token"


def test_one_story_is_cut_into_blocks():
    own.write_textgrid(Path("pieman.TextGrid"), own.words_of(300, 1.5, RNG))
    for subject in ("sub-01", "sub-02"):
        own.write_nifti(Path(f"bold/{subject}_bold.nii.gz"), values(300, 18), 1.5)
    own.write_mask(Path("mask.nii.gz"))
    config, table = new("pieman.TextGrid", "bold", "--mask", "mask.nii.gz")
    assert table.stories == ["pieman"]
    assert config["blocks"] == {"pieman": {"n": 6, "gap": 10}}
    assert config["stories"]["test"] == ["pieman-6"]
    assert "GUESS: there is one transcript: all responses are taken to be to it." in OUT.read_text()


def test_the_draw_is_of_the_seed_among_stories_that_all_heard_and_are_long():
    stories = ["a", "b", "c", "d", "e"]
    n_rows = {(subject, story): 100 for subject in ("S1", "S2") for story in stories}
    del n_rows["S2", "a"]
    n_rows["S1", "b"] = 58
    drawn = [split(stories, n_rows, 4, seed).test for seed in range(20)]
    assert drawn == [split(stories, n_rows, 4, seed).test for seed in range(20)]
    assert {story for test in drawn for story in test} == {"c", "d", "e"}
    named = split([*stories, "test_1"], n_rows | {("S1", "test_1"): 30}, 4, 0)
    assert (named.test, named.rule) == (["test_1"], "the stories that are called so")
    many = [f"s{i}" for i in range(30)]
    assert len(split(many, {("S1", story): 100 for story in many}, 4, 0).test) == 3


def test_seconds_a_row_leave_a_story_that_does_not_fit_alone():
    rows = np.array([80, 95, 110, 130, 150])
    ends = rows * 2.0 - 12  # the scans go on for 12 s
    assert seconds_per_row(ends, rows) == pytest.approx(2.0)
    ends[2] = 80
    assert seconds_per_row(ends, rows) == pytest.approx(2.0, rel=0.05)
    assert seconds_per_row([300.0], [150]) == 2.0
    assert seconds_per_row([], []) == 0
