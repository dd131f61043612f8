"""`python -m pipeline.runs`: the table that it writes, what it leaves open, and what it says."""

import pandas as pd
import pytest

from pipeline.dataset.runs import RunTable
from pipeline.runs.command import main


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def make_tree(root, runs, task="story", space="MNI", session=None):
    """Empty runs {subject: numbers of runs} with their confounds and events."""
    for subject, numbers in runs.items():
        inner = f"sub-{subject}/" + (f"ses-{session}/" if session else "") + "func"
        for number in numbers:
            stem = f"sub-{subject}_" + (f"ses-{session}_" if session else "")
            stem += f"task-{task}" + (f"_run-{number}" if number else "")
            derived = root / "derivatives/fmriprep" / inner
            touch(derived / f"{stem}_space-{space}_desc-preproc_bold.nii.gz")
            touch(derived / f"{stem}_desc-confounds_timeseries.tsv")
            touch(root / inner / f"{stem}_events.tsv")


def table_of(root, *options):
    main(["--bids", str(root), "--derivatives", "fmriprep", "--task", "story", *options])
    return RunTable.read(root / "runs.tsv")


def test_runs_with_their_confounds_and_events(tmp_path, capsys):
    make_tree(tmp_path, {"01": ["1", "2"], "02": ["1"]}, session="a")
    table = table_of(tmp_path)
    assert table.problems == ()
    run = table.of("01", "story_run-2")
    stem = "sub-01/ses-a/func/sub-01_ses-a_task-story_run-2"
    derived = tmp_path / "derivatives/fmriprep" / stem
    assert (run.session, run.run) == ("a", "2")
    assert run.responses == derived.with_name(f"{derived.name}_space-MNI_desc-preproc_bold.nii.gz")
    assert run.confounds == derived.with_name(f"{derived.name}_desc-confounds_timeseries.tsv")
    assert run.words == run.events == tmp_path / f"{stem}_events.tsv"
    assert table.missing("02") == ["story_run-2"]
    said = capsys.readouterr()
    assert "sub-02]: no responses to story_run-2" in said.err
    assert "3 runs of 2 subjects" in said.out
    written = pd.read_csv(tmp_path / "runs.tsv", sep="\t", dtype=str, keep_default_na=False)
    assert written.set_index(["subject", "story"]).loc[("02", "story_run-2"), "responses"] == "n/a"


def test_stories_by_the_order_of_runs_whose_numbers_differ(tmp_path, capsys):
    """Run 10 comes after 9; whose runs are fewer than the others' has no stories."""
    make_tree(tmp_path, {"01": ["1", "2", "3"], "02": ["9", "10", "12"], "03": ["5", "6"]})
    for number in (1, 2, 3):
        touch(tmp_path / f"annotation/part{number}.TextGrid")
    table = table_of(
        tmp_path, "--story", "part{order}", "--transcript", "annotation/{story}.TextGrid"
    )
    assert [table.of("02", f"part{k}").run for k in (1, 2, 3)] == ["9", "10", "12"]
    assert table.words("part3") == tmp_path / "annotation/part3.TextGrid"
    assert "03 has 2 runs, most have 3: which is which story?" in capsys.readouterr().err
    assert len(table.problems) == 2  # its rows, which a person must complete
    assert all("the story 'n/a'" in problem.what for problem in table.problems)
    assert table.subjects == ["01", "02"]


def test_a_task_with_one_run_is_the_story(tmp_path):
    make_tree(tmp_path, {"01": [None]})
    assert table_of(tmp_path).stories == ["story"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "2 spaces: 'MNI', 'T1w'"),
        (["--space", "fsLR"], "no run is in the space fsLR"),
        (["--form", "cifti"], "no run of the task story ends in _bold.dtseries.nii"),
        (["--derivatives", "prep"], "there is no such folder"),
        (["--space", "MNI", "--story", "{number}"], "other names in braces"),
    ],
)
def test_nothing_is_guessed(tmp_path, options, said):
    for space in ("MNI", "T1w"):
        make_tree(tmp_path, {"01": ["1"]}, space=space)
    with pytest.raises(SystemExit, match=said):
        table_of(tmp_path, *options)
    assert not (tmp_path / "runs.tsv").exists()
    assert table_of(tmp_path, "--space", "T1w").stories == ["story_run-1"]


def test_two_versions_of_a_run(tmp_path):
    make_tree(tmp_path, {"01": ["1", "2"]})
    folder = tmp_path / "derivatives/fmriprep/sub-01/func"
    touch(folder / "sub-01_task-story_run-2_space-MNI_desc-smooth_bold.nii.gz")
    with pytest.raises(SystemExit, match="two files for one run"):
        table_of(tmp_path)


def test_runs_that_are_not_fetched_are_found(tmp_path):
    """A link to contents that are not here is a run."""
    make_tree(tmp_path, {"01": ["1"]})
    folder = tmp_path / "derivatives/fmriprep/sub-01/func"
    link = folder / "sub-01_task-story_run-2_space-MNI_desc-preproc_bold.nii.gz"
    link.symlink_to("../../.git/annex/objects/none")
    assert table_of(tmp_path).of("01", "story_run-2").responses == link
