"""A high-pass filter that leaves nothing of the responses is told before anything is made."""

import numpy as np
import pytest

from pipeline.core.errors import ProblemError
from pipeline.validation.validate import validate
from tests.helpers.datasets import N_ROWS, N_VOXELS, write_responses
from tests.helpers.faults import hf5


@pytest.fixture
def slow(config, tmp_path):
    """Responses to the story `two` of one slow cosine: 20 rows of 2 s, half a cycle."""
    cosine = np.cos(np.pi * (np.arange(N_ROWS)[:, None] + 0.5) / N_ROWS)
    config["responses"]["high_pass"] = 0.02
    return cosine * np.arange(1, N_VOXELS + 1) + 100


def test_nothing_left_after_filtering_is_an_error(config, slow, tmp_path):
    write_responses(hf5(tmp_path, "two"), slow)
    with pytest.raises(ProblemError) as caught:
        validate(config)
    (problem,) = caught.value.problems
    assert str(problem.file) == str(hf5(tmp_path, "two"))
    assert problem.what == "nothing of the responses is faster than 0.02 Hz"
    assert "responses.high_pass" in problem.remedy


@pytest.mark.parametrize("n_looked_at", [1, 64])
def test_one_voxel_with_something_left_is_enough(config, slow, tmp_path, monkeypatch, n_looked_at):
    """Also where it is not among those that are looked at first."""
    monkeypatch.setattr("pipeline.validation.responses.N_FILTERED", n_looked_at, raising=False)
    slow[::2, -1] += 1
    write_responses(hf5(tmp_path, "two"), slow)
    assert validate(config) == []
