"""Rules for every feature space of the stimulus, whatever it is: new ones are tested as they are.

The audit asks bands made from BOLD what they used. A band of the stimulus gets words and timings
only; what is left to ask is whether a row depends on words that come later than the filter sees,
and whether its columns are named.
"""

import numpy as np
import pytest

from pipeline.bands.registry import kind_of, known_kinds
from pipeline.config.load import complete
from pipeline.core.errors import ProblemError
from pipeline.dataset.story import LOBES, Story
from pipeline.embedding.eng1000 import Eng1000
from tests.helpers.stories import random_story

ELSEWHERE = {"llm", "static", "table"}  # tested with their models and files
KINDS = sorted(
    name
    for name, kind in known_kinds().items()
    if kind.source == "stimulus" and name not in ELSEWHERE
)
ABOUT_MEANS = {"lexicon", "speech", "syntax"}
N_ROWS, CHANGED = 60, 40  # rows; from this one on other words are said


@pytest.fixture
def options_of(tmp_path, language):
    vocab = [f"w{k}" for k in range(8)]
    vectors = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    Eng1000(vectors, vocab, ["a", "b", "c"]).save(tmp_path / "space.hf5")
    own = {"lexicon": {"sources": ["letters"]}, "oasm": {"directions": 40}}

    def options(name):
        kind = kind_of(name)
        given = {"encoder": language["gim"]["encoder"]} if "encoder" in kind.options else {}
        given |= {"eng1000": str(tmp_path / "space.hf5")} | own.get(name, {})
        return {**kind.options, **given}

    return options


@pytest.mark.parametrize("name", KINDS)
def test_columns_are_named_and_rows_are_those_of_the_grid(name, options_of):
    options = options_of(name)
    values = kind_of(name).compute(random_story(np.random.default_rng(1), N_ROWS), options)
    assert len(values) == N_ROWS
    assert np.isfinite(values).all()
    if (columns := kind_of(name).columns) is not None:
        assert values.shape[1] == len(columns(options))
    else:
        assert not kind_of(name).readable, "readable columns have names"


@pytest.mark.parametrize("name", KINDS)
def test_words_that_come_later_change_nothing_before(name, options_of):
    s = random_story(np.random.default_rng(1), N_ROWS)
    rows, words = s.grid.row_of(s.words["onset"].to_numpy()), s.words.copy()
    words.loc[rows >= CHANGED, "word"] = words["word"][rows >= CHANGED].to_numpy()[::-1]
    before, after = (
        kind_of(name).compute(Story(s.name, w, s.grid), options_of(name)) for w in (s.words, words)
    )
    difference = (before - after)[: CHANGED - LOBES]
    if name in ABOUT_MEANS:  # over the story: all that the later words can move
        n_words = s.to_rows(np.ones((len(words), 1)), "lanczos")[: CHANGED - LOBES]
        difference -= n_words @ np.linalg.lstsq(n_words, difference, rcond=None)[0]
    np.testing.assert_allclose(difference, 0, atol=1e-5)


@pytest.mark.parametrize(
    "name", sorted(n for n, kind in known_kinds().items() if not kind.readable)
)
def test_no_model_called_readable_has_what_nobody_can_read(name):
    kind = kind_of(name)
    options = {key: "m" for key in kind.required if not kind.options[key]}
    given = {"m": {"kind": "passages"}, name: options} if "of" in options else {name: options}
    config = {
        "name": "n", "data_root": "d", "subjects": {"S1": {}},
        "stories": {"train": ["a", "b", "c"], "test": ["d"]}, "fit": {"n_folds": 3},
        "features": {"eng1000": {}, **given}, "models": {"eng1000": ["eng1000"]},
    }  # fmt: skip
    complete({**config, "models": {**config["models"], "other": [name]}})
    with pytest.raises(ProblemError, match=rf"readable.*'{name}' is a black box or a control"):
        complete({**config, "models": {**config["models"], "readable": [name]}})
