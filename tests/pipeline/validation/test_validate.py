"""Validation: each fault by itself, all of them at once, and none in the real data."""

import json
import shutil
from itertools import pairwise

import h5py
import nibabel
import numpy as np
import pytest

from pipeline.core.errors import ProblemError
from pipeline.dataset.dataset import Dataset
from pipeline.validation import responses
from pipeline.validation.dataset import check_dataset
from pipeline.validation.manifest import (
    describe_files,
    input_files,
    manifest,
    settings_files,
)
from pipeline.validation.records import all_heard
from pipeline.validation.validate import validate
from pipeline.validation.volumes import count_volumes
from pipeline.voxels.volume import Mask
from tests.helpers.datasets import (
    N_ROWS,
    N_SCANNED,
    N_VOXELS,
    make_config,
    write_dataset,
    write_mask,
    write_responses,
)
from tests.helpers.faults import (
    DATASET_FAULTS,
    STORY_FAULTS,
    SUBJECT,
    eng1000,
    hf5,
    mask,
    rows,
    set_eng1000,
    set_respdict,
    set_textgrid,
    set_value,
    textgrid,
)


def problems_of(config):
    with pytest.raises(ProblemError) as caught:
        validate(config)
    return caught.value.problems


def is_told(problems, path, what):
    return any(str(p.file) == str(path) and what in p.what and p.remedy for p in problems)


def test_a_dataset_without_fault_passes_without_warning(config):
    assert validate(config) == []


@pytest.mark.parametrize("name", STORY_FAULTS)
@pytest.mark.parametrize("story", ["two", "four"])  # training and test
def test_each_story_fault(config, tmp_path, name, story):
    make, file, what = STORY_FAULTS[name]
    make(tmp_path, story)
    problems = problems_of(config)
    assert len(problems) == 1, problems
    assert is_told(problems, file(tmp_path, story), what)


@pytest.mark.parametrize("name", DATASET_FAULTS)
def test_each_dataset_fault(config, tmp_path, name):
    make, file, what = DATASET_FAULTS[name]
    make(tmp_path)
    problems = problems_of(config)
    assert len(problems) == 1, problems
    assert is_told(problems, file(tmp_path), what)


def test_all_faults_at_once(tmp_path):
    """One error lists them all, and nothing that is not wrong."""
    stories = [*STORY_FAULTS, *(f"sound{i}" for i in range(3))]
    write_dataset(tmp_path, stories, [SUBJECT])
    config = make_config(tmp_path, stories, {SUBJECT: None, "S9": None})
    for story, (make, _, _) in STORY_FAULTS.items():
        make(tmp_path, story)
    DATASET_FAULTS["eng1000-transposed"][0](tmp_path)
    mask(tmp_path).write_text("no mask")
    problems = problems_of(config)
    for story, (_, file, what) in STORY_FAULTS.items():
        assert is_told(problems, file(tmp_path, story), what), story
    assert is_told(problems, eng1000(tmp_path), "should be (985,)")
    assert is_told(problems, mask(tmp_path), "no NIfTI")
    assert is_told(problems, hf5(tmp_path, "", "S9").parent, "unknown subject 'S9'; there are S1")
    assert len(problems) == len(STORY_FAULTS) + 3
    with pytest.raises(ProblemError, match=rf"{len(problems)} problem\(s\)"):
        validate(config)


def test_responses_saved_as_voxels_by_rows(config, tmp_path, stories):
    for story in stories:
        write_responses(hf5(tmp_path, story), rows().T)
    problems = problems_of(config)
    assert [problem.what for problem in problems if "rows" in problem.what] == [
        f"{N_VOXELS} rows, but the scanned volumes and the trimming make it {N_ROWS}, "
        "which is the number of columns: these are (voxels, rows)"
    ] * len(stories)
    assert problems[0].remedy == "save the transpose, (rows, voxels)"


def test_such_responses_where_rows_are_counted(config, tmp_path, stories):
    """Their voxels are then taken for rows, of which words cover little."""
    config["responses"]["volumes"] = None
    for story in stories:
        set_textgrid(tmp_path, story, *evenly(0, 58))
        write_responses(hf5(tmp_path, story), rows(400, N_ROWS))
    (problem, *_) = problems_of(config)
    assert "7% of it" in problem.what
    assert "save the responses as (rows, voxels)" in problem.remedy


def test_problems_name_their_place(config, tmp_path):
    set_value(tmp_path, "one", (3, slice(2, 5)), np.nan)
    set_value(tmp_path, "one", (7, 4), np.inf)
    (problem,) = problems_of(config)
    assert problem.place == "data, rows 3, 7; voxels 2, 3, 4"


def test_missing_root(config, tmp_path):
    config["data_root"] = str(tmp_path / "elsewhere")
    config["eng1000"]["path"] = str(eng1000(tmp_path))
    (problem,) = problems_of(config)
    assert "no such folder" in problem.what


def test_unknown_subject_when_there_is_none(config, tmp_path):
    shutil.rmtree(tmp_path / "derivative" / "preprocessed_data")
    (problem,) = problems_of(config)
    assert problem.what.endswith("there are none")


def test_what_is_known_of_a_dataset(config, tmp_path):
    """Rows and voxels are those of the files that are well."""
    shutil.rmtree(textgrid(tmp_path, "").parent)
    set_respdict(tmp_path, "two")
    dataset = check_dataset(config)
    assert len(dataset.findings.problems) == 4 + 1
    assert dataset.n_rows == dict.fromkeys(["one", "three", "four"], N_ROWS)
    assert dataset.n_voxels == {SUBJECT: N_VOXELS}


def test_volumes_are_counted_where_no_file_says_them(tmp_path, stories):
    """All blocks of a story are in one file; subjects must agree on its rows."""
    write_dataset(tmp_path, stories, [SUBJECT, "S2"])
    (tmp_path / "derivative" / "respdict.json").unlink()
    config = make_config(
        tmp_path,
        ["two-1", "one", "three", "two-2", "four"],
        {"S2": None, SUBJECT: None},
        responses={"volumes": None},
        blocks={"two": {"n": 2, "gap": 4}},
    )
    dataset, heard = Dataset.from_config(config), all_heard(config)
    assert [one.story for one in heard[0].recordings] == ["two-1", "one", "three", "four"]
    assert count_volumes(dataset, heard) == dict.fromkeys(sorted(stories), N_SCANNED)
    assert validate(config) == []
    write_responses(hf5(tmp_path, "two", "S2"), rows(N_ROWS - 1))
    # Of two that differ, either may be wrong.
    for subject, n_rows in ((SUBJECT, N_ROWS), ("S2", N_ROWS - 1)):
        said = f"{n_rows} rows, but subjects should agree: {N_ROWS} in S1; {N_ROWS - 1} in S2"
        assert is_told(problems_of(config), hf5(tmp_path, "two", subject), said)


def test_excluded_stories_need_no_responses(tmp_path, stories):
    stories = ["lacking", *stories]
    write_dataset(tmp_path, stories, [SUBJECT, "S2"])
    hf5(tmp_path, "lacking").unlink()
    subjects = {SUBJECT: {"exclude": ["lacking"]}, "S2": None}
    config = make_config(tmp_path, stories, subjects)
    assert validate(config) == []
    names = list(manifest(config)["files"])
    assert f"derivative/preprocessed_data/{SUBJECT}/lacking.hf5" not in names
    assert "derivative/preprocessed_data/S2/lacking.hf5" in names
    config["subjects"][SUBJECT]["exclude"] = []
    assert is_told(problems_of(config), hf5(tmp_path, "lacking"), "does not exist")


def test_regions_are_read_before_long_work(config, tmp_path):
    labelled = tmp_path / "regions.nii.gz"
    config["regions"] = {"lobes": {"volume": str(labelled)}}
    assert is_told(problems_of(config), labelled, "does not exist")
    write_mask(labelled, N_VOXELS // 2)
    assert validate(config) == []
    assert "regions.nii.gz" not in manifest(config)["files"]  # fits do not depend on it
    write_mask(labelled, 0)
    assert is_told(problems_of(config), labelled, "none of its regions holds a voxel")
    mask(tmp_path).write_text("no mask")  # told once, by the check of masks
    (problem,) = problems_of(config)
    assert is_told([problem], mask(tmp_path), "no NIfTI")


def warning_of(config):
    (warning,) = validate(config)
    return warning


def test_constant_voxels_are_a_warning(config, tmp_path):
    set_value(tmp_path, "two", (slice(None), slice(4, 6)), 0.0)
    warning = warning_of(config)
    assert warning.file == str(hf5(tmp_path, "two"))
    assert warning.what.startswith(f"2 of {N_VOXELS} voxels are constant")
    assert warning.place == "data, voxels 4, 5"


def test_a_story_that_is_constant_in_all_voxels_has_three_ways_out(config, tmp_path):
    set_value(tmp_path, "two", slice(None), 1.0)
    (problem,) = problems_of(config)
    assert problem.what == f"all {N_VOXELS} voxels are constant"
    for remedy in ("fetch or copy", "exclude the story", "leave the subject out"):
        assert remedy in problem.remedy


def test_words_after_the_scan_are_a_warning(config, tmp_path):
    end = (N_SCANNED - 5) * 2 - 10
    set_textgrid(tmp_path, "one", (0, 1, "a"), (end - 1, end, "last"), (end, end + 1, "late"))
    warning = warning_of(config)
    assert warning.what.startswith("1 of 3 words")
    assert warning.place == "words late"


def evenly(begin, end, n=20):
    times = np.linspace(begin, end, n + 1)
    return [(a, b, "once") for a, b in pairwise(times)]


@pytest.mark.parametrize(("end", "covered"), [(0.9, "1%"), (6.0, "8%")])
def test_words_in_minutes_or_an_aligner_that_stopped_are_an_error(config, tmp_path, end, covered):
    set_textgrid(tmp_path, "two", *evenly(0, end))
    (problem,) = problems_of(config)
    assert problem.what == (
        f"words from 0 to {0.95 * end:g} s, the scan from -10 to 60 s of the sound: {covered} of it"
    )


def test_what_was_understood_of_the_clock_is_logged(config, tmp_path, caplog):
    """Rows of 2 s, the first of which begins 10 s into the sound."""
    set_textgrid(tmp_path, "two", (10.06, 10.5, "first"), (48.5, 49, "last"))
    with caplog.at_level("INFO"):
        validate(config)
    said = [line for line in caplog.messages if line.startswith("two:")]
    assert said == [
        "two: first word at 10.06 s of the sound = row 0, last in row 19 of 20; "
        "row 0 begins at 10.00 s"
    ]


def test_words_over_less_than_most_of_the_scan_are_a_warning(config, tmp_path):
    set_textgrid(tmp_path, "two", *evenly(0, 30))
    warning = warning_of(config)
    assert "words from 0 to 28.5 s, the scan from -10 to 60 s of the sound: 41%" in warning.what
    set_textgrid(tmp_path, "two", *evenly(0, 58))
    assert validate(config) == []


def test_eng1000_of_other_size_and_repeated_words_are_warnings(config, tmp_path):
    set_eng1000(tmp_path, np.ones((300, 3)), 3)
    assert "300 basis words" in warning_of(config).what
    with h5py.File(eng1000(tmp_path), "r+") as file:
        file["vocab"][:] = [b"a", b"b", b"a"]
    assert any(w.what == "words listed twice: a" for w in validate(config))


def test_eng1000_is_needed_by_its_bands_only(config, tmp_path):
    eng1000(tmp_path).unlink()
    config |= {"features": {"words": {"kind": "eng1000"}}, "models": {"words": ["words"]}}
    assert is_told(problems_of(config), eng1000(tmp_path), "does not exist")
    config |= {"features": {"wordrate": {}}, "models": {"words": ["wordrate"]}}
    assert validate(config) == []
    assert eng1000(tmp_path) not in input_files(config)


def test_eng1000_given_by_path(config, tmp_path):
    other = tmp_path / "other.hf5"
    shutil.move(eng1000(tmp_path), other)
    config["eng1000"]["path"] = str(other)
    assert validate(config) == []


def test_eng1000_built_from_corpora(config, tmp_path):
    eng1000(tmp_path).unlink()
    corpora = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    basis = tmp_path / "basis.txt"
    config["eng1000"] |= {"corpora": [str(c) for c in corpora], "basis_words": str(basis)}
    corpora[0].write_text('{"text": "once"}\n')
    corpora[1].write_text("")
    problems = problems_of(config)
    assert is_told(problems, corpora[1], "empty")
    assert is_told(problems, basis, "does not exist")
    assert len(problems) == 2
    corpora[1].write_text('{"text": "once"}\n')
    basis.write_text("time\n")
    assert validate(config) == []


def test_truth_is_for_simulated_datasets(config, tmp_path):
    config["features"]["oracle"] = {}
    config["models"] = {"eng1000": ["oracle"]}
    truth = tmp_path / "truth"
    assert is_told(problems_of(config), truth, "ground truth")
    truth.mkdir()
    (truth / "events.tsv").write_text("story\n")
    assert validate(config) == []
    assert "truth/events.tsv" in describe_files(config, settings_files(config))


def test_a_mask_is_read_as_it_is_checked(config, tmp_path):
    """Probabilities: refused without a threshold, with one as many voxels as the maps will have."""
    values = np.linspace(0, 1, 4**3, dtype=np.float32).reshape(4, 4, 4)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), mask(tmp_path))
    (problem,) = problems_of(config)
    assert "mask.threshold" in problem.remedy
    config["mask"]["threshold"] = float(np.sort(values.ravel())[-N_VOXELS - 1])
    assert validate(config) == []
    assert Mask.from_config(config["mask"], SUBJECT).n_voxels == N_VOXELS


def test_one_mask_per_subject(tmp_path, stories):
    write_dataset(tmp_path, stories, [SUBJECT, "S2"])
    config = make_config(tmp_path, stories, {SUBJECT: None, "S2": None})
    config["mask"]["path"] = str(tmp_path / "mask-{subject}.nii.gz")
    write_mask(tmp_path / f"mask-{SUBJECT}.nii.gz", N_VOXELS)
    write_mask(tmp_path / "mask-S2.nii.gz", N_VOXELS - 1)
    (problem,) = problems_of(config)
    assert is_told([problem], tmp_path / "mask-S2.nii.gz", "S2's responses")
    config["mask"] = None
    assert validate(config) == []


@pytest.mark.parametrize("chunks", [None, (7, 4), (N_ROWS, 1), (1, N_VOXELS), True])
@pytest.mark.parametrize("block_bytes", [64, 1000, 2**20])
def test_responses_are_read_in_small_blocks(tmp_path, monkeypatch, chunks, block_bytes):
    """Each value once, in blocks that keep to the limit where the file's chunks let them."""
    monkeypatch.setattr(responses, "BLOCK_BYTES", block_bytes)
    path, values = tmp_path / "story.hf5", rows().astype(np.float32)
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=values, chunks=chunks)
    seen = np.zeros(values.shape, int)
    with h5py.File(path) as file:
        data = file["data"]
        limit = max(block_bytes, 4 * np.prod(data.chunks or (1, N_VOXELS)))
        for row_slice, voxels, block in responses.blocks(data):
            assert block.nbytes <= limit
            np.testing.assert_array_equal(block, values[row_slice, voxels])
            seen[row_slice, voxels] += 1
    assert (seen == 1).all()
    with h5py.File(path, "r+") as file:
        file["data"][17, 1] = np.nan
        file["data"][16, 9] = np.inf
        file["data"][:, 3] = 2.0
    findings, n_voxels, *_ = responses.check_responses(path, N_ROWS, {})
    assert n_voxels == N_VOXELS
    assert findings.problems[0].place == "data, rows 16, 17; voxels 1, 9"
    assert findings.warnings[0].place == "data, voxels 3"


@pytest.mark.shared
def test_real_dataset_passes(shared):
    root = shared / "realdata" / "ds003020-pcs"
    split = json.loads((root / "stories.json").read_text())
    stories = split["train"] + split["test"]
    there = {path.stem for path in (root / "derivative/preprocessed_data/UTS01").iterdir()}
    lacking = [story for story in stories if story not in there]
    assert len(lacking) == 5
    subjects = {"UTS01": {"exclude": lacking}, "UTS03": None}
    config = make_config(
        root, stories, subjects, features={"eng1000": {"kind": "wordrate"}}, mask=None
    )
    assert validate(config) == []
    described = manifest(config)
    assert described["n_voxels"] == {"UTS01": 100, "UTS03": 100}
    assert sum(described["n_rows"][story] for story in split["train"]) == 33876


def test_test_stories_too_short_to_be_shifted(tmp_path, stories):
    write_dataset(tmp_path, stories, [SUBJECT])
    options = {"min_shift": N_ROWS // 2 + 1, "block": N_ROWS // 4}
    config = make_config(tmp_path, stories, {SUBJECT: None}, statistics=options)
    assert is_told(problems_of(config), "configuration", f"four has {N_ROWS} rows")
    config["statistics"]["scheme"] = "block"
    assert validate(config) == []
