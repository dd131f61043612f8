"""Features of the stimulus that say nothing: an error in all stories, a warning in one."""

import numpy as np
import pandas as pd
import pytest

from pipeline.bands.compute import BandFile, stimulus_features
from pipeline.bands.registry import BandOptions, kind_of
from pipeline.core.errors import ProblemError
from tests.helpers.responses import write_responses

N_ROWS = 40
STORIES = ["a", "b"]


@pytest.fixture
def extract(tmp_path):
    """Features of the word rate of two stories whose words begin at these times."""
    dataset = write_responses(tmp_path, dict.fromkeys(STORIES, N_ROWS), n_voxels=2)

    def run(*onsets):
        words = [
            pd.DataFrame({"story": s, "word": "word", "onset": o, "offset": o + 0.1})
            for s, o in zip(STORIES, onsets, strict=True)
        ]
        pd.concat(words).to_parquet(tmp_path / "words.parquet")
        options = BandOptions("wordrate", own=kind_of("wordrate").options)
        output = tmp_path / "wordrate.h5"
        arguments = {"stories": STORIES, "options": options, "output": output}
        stimulus_features(dataset, tmp_path / "words.parquet", **arguments)
        return BandFile(output).read(STORIES)

    return run


SPREAD = np.sort(np.random.default_rng(0).uniform(12, 80, 60))


def test_features_that_are_zero_in_all_stories_are_an_error(extract):
    late = SPREAD + 1000
    with pytest.raises(ProblemError, match="zero in every row of every story"):
        extract(late, late)


def test_a_story_whose_features_are_constant_is_a_warning(extract, caplog):
    values = extract(SPREAD, np.arange(-10, 100, 0.5))
    assert (values["b"] == values["b"][0]).all()
    (said,) = caplog.messages
    assert "[b]: the features are constant" in said


def test_varying_features_warn_of_nothing(extract, caplog):
    extract(SPREAD, SPREAD + 1)
    assert caplog.messages == []
