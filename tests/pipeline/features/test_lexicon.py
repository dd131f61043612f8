"""Norms of words, about their means, brought to rows; and which words are unknown."""

import numpy as np
import pytest

from pipeline.embedding.coverage import coverage
from pipeline.features.lexicon import KIND, lexicon
from tests.helpers.stories import story

WORDS = ["dog", "Sea", "dogs", "zyx"] * 9


@pytest.fixture
def options(tmp_path):
    (tmp_path / "norms.csv").write_text("word,age,imagery\ndog,2,6\nsea,4,\n")
    own = {"sources": ["letters"], "table": str(tmp_path / "norms.csv"), "downsample": "sum"}
    return {**KIND.options, **own}


def test_rows_have_the_sums_of_what_their_words_differ_from_the_mean_by(options):
    s = story(WORDS, n_rows=12)
    values = KIND.compute(s, options)
    assert KIND.columns(options) == ["letters", "age", "imagery"]
    said = {"dog": (3, 2, 6), "Sea": (3, 4, np.nan), "dogs": (4, 2, 6), "zyx": (3, np.nan, np.nan)}
    table = np.array([said[word] for word in WORDS])
    about = np.nan_to_num(table - np.nanmean(table, axis=0))
    rows = s.grid.row_of(s.words["onset"].to_numpy())
    expected = [about[rows == row].sum(axis=0) for row in range(12)]
    np.testing.assert_allclose(values, expected, atol=1e-6)


def test_coverage_is_of_the_words_that_all_sources_know(options):
    found = coverage(lexicon(options), WORDS)
    assert found.unknown == ("Sea", "zyx")
    assert found.tokens == 0.5


def test_a_table_that_changes_is_read_again(options):
    assert lexicon(options).columns == ["letters", "age", "imagery"]
    with open(options["table"], "a") as file:
        file.write("zyx,1,1\n")
    assert lexicon(options).known(["zyx"]).all()
