"""The words before, as a mean that fades: against the sum that defines it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.embedding.eng1000 import Eng1000
from pipeline.features.context import KIND, fading_mean, memories
from tests.helpers.stories import story

WORDS = ["sea", "ship", "unknown", "sail", "sea"]
SPACE = Eng1000(np.array([[1, 0, 2], [0, 3, 1]], np.float32), ["sea", "ship", "sail"], ["a", "b"])


@pytest.fixture
def options(tmp_path):
    SPACE.save(tmp_path / "space.hf5")
    return {**KIND.options, "eng1000": str(tmp_path / "space.hf5"), "downsample": "sum"}


@given(n=st.integers(0, 30), seed=st.integers(0, 99), scale=st.floats(0.05, 50))
@settings(max_examples=40, deadline=None)
def test_the_filter_is_the_weighted_mean_of_all_words_before(n, seed, scale):
    rng = np.random.default_rng(seed)
    values, weights = rng.normal(size=(n, 3)), rng.integers(0, 2, n).astype(float)
    times = np.cumsum(rng.exponential(1, n))
    kept = np.exp(-np.diff(times, prepend=times[:1]) / scale)
    means = fading_mean(values, weights, kept)
    for i in range(n):
        u = weights[:i] * np.exp(-(times[i] - times[:i]) / scale)
        expected = u @ values[:i] / u.sum() if u.sum() > 1e-290 else np.zeros(3)
        np.testing.assert_allclose(means[i], expected, rtol=1e-4, atol=1e-6)


def test_a_word_is_in_the_context_of_those_after_it_alone(options):
    s = story(WORDS, n_rows=10, words_per_row=1)
    before = KIND.compute(s, options | {"words": [2]})
    changed = KIND.compute(story([*WORDS[:3], "ship", "sea"], 10, 1), options | {"words": [2]})
    rows = s.grid.row_of(s.words["onset"].to_numpy())
    kept = rows[4] if rows[4] >= 0 else 0
    np.testing.assert_array_equal(before[:kept], changed[:kept])


def test_memories_against_their_definitions(options):
    words = pd.DataFrame({"onset": [0.0, 0.5, 3.0, 3.2], "offset": [0.4, 0.9, 3.2, 3.5]})
    own = options | {"words": [4], "seconds": [2.0], "phrase": 1.0, "topic": True}
    kept = dict(memories(words, own))
    np.testing.assert_allclose(kept["4 words"], np.exp(-0.25))
    np.testing.assert_allclose(kept["2 s"], np.exp(-np.array([0, 0.5, 2.5, 0.2]) / 2))
    assert kept["phrase"].tolist() == [0, 1, 0, 1]  # two seconds of silence end the phrase
    assert kept["story"].tolist() == [1, 1, 1, 1]


def test_the_topic_is_the_mean_of_the_known_words_so_far(options):
    s = story(WORDS * 8, n_rows=12, words_per_row=3)
    values = KIND.compute(s, options | {"words": [], "topic": True})
    rows = s.grid.row_of(s.words["onset"].to_numpy())
    vectors, known = SPACE.vectors(s.words["word"]), SPACE.known(s.words["word"])
    for row in range(len(values)):
        means = [vectors[:i][known[:i]].mean(axis=0) for i in np.flatnonzero(rows == row)]
        np.testing.assert_allclose(values[row], np.sum(means, axis=0), rtol=1e-5)


def test_every_column_says_which_word_and_how_far_back(options):
    own = options | {"words": [4, 16.5], "seconds": [10], "topic": True}
    names = KIND.columns(own)
    assert names[:3] == ["a, 4 words", "b, 4 words", "a, 16.5 words"]
    assert names[-3:] == ["b, 10 s", "a, story", "b, story"]
    assert KIND.compute(story(WORDS * 9), own).shape[1] == len(names)
