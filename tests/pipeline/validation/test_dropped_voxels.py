"""Voxels that are NaN in all rows, which the configuration can drop."""

import numpy as np
import pytest

from pipeline.validation import responses
from pipeline.validation.dataset import check_dataset
from pipeline.validation.manifest import manifest
from tests.helpers.datasets import N_VOXELS
from tests.helpers.faults import SUBJECT, hf5, set_value
from tests.pipeline.validation.test_validate import is_told, problems_of


def test_voxels_without_a_value_are_dropped_where_the_configuration_says_so(config, tmp_path):
    """Of all stories those that any file has no value of, as where the field of view moved."""
    set_value(tmp_path, "one", (slice(None), slice(2, 4)), np.nan)
    set_value(tmp_path, "four", (slice(None), 7), np.nan)
    problems = problems_of(config)
    assert is_told(problems, hf5(tmp_path, "one"), "NaN or infinite")
    assert all("responses.drop_nan_voxels" in problem.remedy for problem in problems)
    config["responses"]["drop_nan_voxels"] = True
    checked = check_dataset(config)
    assert not checked.findings.problems
    (warning,) = checked.findings.warnings
    assert f"3 of {N_VOXELS} voxels of {SUBJECT} are NaN in all rows" in warning.what
    assert warning.place == "data, voxels 2, 3, 7"
    assert checked.dropped_voxels == {SUBJECT: [2, 3, 7]}
    assert manifest(config, checked.dropped_voxels)["dropped_voxels"] == {SUBJECT: [2, 3, 7]}


@pytest.mark.parametrize("budget", [1000, 1 << 20])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_lack_in_some_rows_are_refused_all_the_same(
    config, tmp_path, monkeypatch, budget, value
):
    monkeypatch.setattr(responses, "BLOCK_BYTES", budget)
    config["responses"]["drop_nan_voxels"] = True
    set_value(tmp_path, "one", (slice(None), 2), np.nan)
    set_value(tmp_path, "one", (slice(3, 5), 6), value)
    (problem,) = problems_of(config)
    assert problem.place == "data, rows 3, 4; voxels 6"
    assert "2 values are NaN or infinite, in 2 of 20 rows and 1 of 12 voxels" in problem.what


def test_a_file_of_nan_is_no_file_to_drop_voxels_of(config, tmp_path):
    config["responses"]["drop_nan_voxels"] = True
    set_value(tmp_path, "one", (slice(None), slice(None)), np.nan)
    assert is_told(problems_of(config), hf5(tmp_path, "one"), "constant or NaN")
