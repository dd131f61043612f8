"""Features that say nothing: an error in all stories, in some a warning that the file keeps."""

import numpy as np
import pandas as pd
import pytest

from pipeline.bands.compute import BandFile, match_features, stimulus_features
from pipeline.bands.registry import BandOptions, kind_of
from pipeline.core.errors import ProblemError
from pipeline.dataset.basis import BasisFile, ResponseBasis
from pipeline.matching.matches import NO_MATCH, Matches, save_matches
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
        return BandFile(output)

    return run


SPREAD = np.sort(np.random.default_rng(0).uniform(12, 80, 60))


def test_features_that_are_zero_in_all_stories_are_an_error(extract):
    late = SPREAD + 1000
    with pytest.raises(ProblemError, match="zero in every row of every story"):
        extract(late, late)


def test_a_story_whose_features_are_constant_is_a_warning(extract, caplog):
    file = extract(SPREAD, np.arange(-10, 100, 0.5))
    values = file.read(STORIES)["b"]
    assert (values == values[0]).all()
    (said,) = caplog.messages
    assert "[b]: the features are constant" in said
    assert file.warnings() == [said]


def test_a_story_whose_features_are_zero_is_a_warning(extract):
    (said,) = extract(SPREAD, SPREAD + 1000).warnings()
    assert "[b]: the features are zero in every row. Remedy:" in said


def test_stories_of_one_kind_are_one_warning(extract):
    evenly = np.arange(-10, 100, 0.5)
    (said,) = extract(evenly, evenly).warnings()
    assert "[a, b]: the features are constant" in said


def test_features_that_are_zero_where_there_are_words(tmp_path):
    values = np.zeros((N_ROWS, 3))
    values[:9] = np.random.default_rng(0).standard_normal((9, 3))
    with BandFile.create(tmp_path / "few.h5") as file:
        file.write("few", values, spoken=np.arange(20))
        file.write("enough", values, spoken=np.arange(18))
        file.write("of BOLD", values)
    (said,) = BandFile(tmp_path / "few.h5").warnings()
    assert "[few]: the features are zero in most of the rows that have words" in said


def test_features_made_from_bold_that_say_nothing_are_a_warning(tmp_path):
    row = np.arange(N_ROWS)
    nowhere, back = np.full(N_ROWS, NO_MATCH), np.where(row >= 9, row - 9, NO_MATCH)
    texts = [""] * N_ROWS
    matches = {"a": Matches.hard(nowhere, row, texts), "b": Matches.hard(back, row, texts)}
    save_matches(tmp_path / "matches.parquet", matches)
    basis = ResponseBasis(np.zeros(4), np.eye(4), np.ones(4))
    with BasisFile.create(tmp_path / "basis.h5", basis) as file:
        for seed, story in enumerate(STORIES):
            file.write_scores(story, np.random.default_rng(seed).standard_normal((N_ROWS, 4)))
    options = BandOptions("random", own=dict(kind_of("random").options) | {"horizon": 2})
    paths = tmp_path / "matches.parquet", tmp_path / "basis.h5"
    match_features(*paths, stories=STORIES, options=options, output=tmp_path / "random.h5")
    (said,) = BandFile(tmp_path / "random.h5").warnings()
    assert "[a]: the features are zero in every row" in said


def test_varying_features_warn_of_nothing(extract, caplog):
    assert extract(SPREAD, SPREAD + 1).warnings() == []
    assert caplog.messages == []
