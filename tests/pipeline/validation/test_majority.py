"""Of counts that differ the odd one is named."""

from pathlib import Path

import pytest

from pipeline.core.errors import ProblemError
from pipeline.dataset.dataset import Dataset
from pipeline.validation import responses
from pipeline.validation.records import all_heard
from pipeline.validation.volumes import count_volumes
from tests.helpers.datasets import N_ROWS, make_config, write_dataset, write_responses
from tests.helpers.faults import hf5, rows


@pytest.mark.parametrize("odd", [0, 1, 2])
def test_of_three_subjects_the_odd_one_is_named(tmp_path, stories, odd):
    subjects = ["S1", "S2", "S3"]
    write_dataset(tmp_path, stories, subjects)
    path = hf5(tmp_path, "two", subjects[odd])
    write_responses(path, rows(N_ROWS + 2))
    config = make_config(tmp_path, stories, dict.fromkeys(subjects), responses={"volumes": None})
    with pytest.raises(ProblemError) as caught:
        count_volumes(Dataset.from_config(config), all_heard(config))
    (problem,) = caught.value.problems
    others = ", ".join(subject for subject in subjects if subject != subjects[odd])
    assert problem.file == path
    assert f"{N_ROWS} in {others}; {N_ROWS + 2} in {subjects[odd]}" in problem.what


def test_of_two_halves_neither_is_taken_for_right():
    counts = {Path("a/one.h5"): 10, Path("b/one.h5"): 12}
    found = responses.check_voxel_counts(counts).problems
    assert [problem.file for problem in found] == ["a/one.h5", "b/one.h5"]
    assert all("10 in a/one.h5; 12 in b/one.h5" in problem.what for problem in found)
