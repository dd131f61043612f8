"""Pauses, rates and silence, and counts without a parser: against counting one by one."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import ProblemError
from pipeline.dataset.grid import Grid
from pipeline.dataset.story import Story
from pipeline.features import speech, syntax

TIMES = st.lists(st.tuples(st.floats(0, 1.5), st.floats(0, 1.0)), min_size=1, max_size=25)


def timed(gaps):
    """Onsets after these gaps, and offsets, some of which overlap the next word."""
    onset = np.cumsum([gap for gap, _ in gaps])
    return onset, onset + np.array([length for _, length in gaps])


def spoken(words, onset, offset):
    table = pd.DataFrame({"word": words, "onset": onset, "offset": offset})
    return Story("s", table, Grid(n_scanned=60))


@given(gaps=TIMES)
@settings(max_examples=60, deadline=None)
def test_timings_against_loops(gaps):
    onset, offset = timed(gaps)
    pauses = speech.silence_before(onset, offset)
    rates = speech.speech_rate(onset, 2.0)
    for i, start in enumerate(onset):
        said_until = max(offset[:i], default=start)
        assert pauses[i] == pytest.approx(max(start - said_until, 0))
        window = [t for t in onset if start - 2.0 < t <= start]
        assert rates[i] == len(window) / 2.0
    starts, fine = np.arange(0, 30, 2.0), np.arange(0, 30, 0.01) + 0.005
    inside = ((onset <= fine[:, None]) & (fine[:, None] < offset)).any(axis=1)
    share = inside.reshape(15, 200).mean(axis=1)
    found = speech.spoken_time(onset, offset, starts, 2.0)
    np.testing.assert_allclose(found, share, atol=0.01 * len(gaps) / 2 + 1e-9)


@given(marks=st.lists(st.booleans(), max_size=20))
def test_words_since_a_mark(marks):
    expected, last = [], 0
    for i, mark in enumerate(marks):
        last = i if mark else last
        expected.append(i - last)
    assert speech.since_last(np.array(marks, bool)).tolist() == expected


@given(words=st.lists(st.sampled_from("abc"), max_size=12), n=st.integers(1, 3))
def test_repetitions(words, n):
    twice = [
        i >= 2 * n and words[i - n : i] == words[i - 2 * n : i - n] for i in range(len(words) + 1)
    ]
    assert syntax.said_on_end(words, n).tolist() == twice[1:]
    since = [
        next((i - j for j in range(i - 1, -1, -1) if words[j] == words[i]), i)
        for i in range(len(words))
    ]
    assert syntax.since_said(words).tolist() == since


def test_classes_and_clauses_of_a_sentence():
    text = "i didn't know that he um that he was late because of the the rain"
    words = text.split()
    onset = np.arange(len(words)) * 0.4
    s = spoken(words, onset, onset + 0.35)
    values = dict(zip(syntax.COLUMNS, syntax.of_words(s, {"pause": 0.25}).T, strict=True))

    def those(name):
        return [word for word, has in zip(words, values[name], strict=True) if has]

    assert those("first person") == ["i"]
    assert those("negation") == ["didn't"]
    assert those("auxiliaries") == ["didn't", "was"]
    assert those("hesitation") == ["um"]
    assert those("subordination") == ["that", "that", "because"]
    assert [w for w in words if w not in those("closed class")] == ["know", "late", "rain"]
    assert np.flatnonzero(values["word said twice on end"]).tolist() == [13]
    assert np.flatnonzero(values["two words said twice on end"]).tolist() == []
    clause = np.expm1(values["words of the clause so far"]).round().astype(int)
    assert clause.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2, 3, 0, 1, 2, 3, 4]


def test_no_word_is_in_a_class_of_clauses_without_being_closed():
    assert set(syntax.OPENING) <= set(syntax.CLASSES)
    assert syntax.members(["because", "dog"]).any(axis=1).tolist() == [True, False]


def test_phones_are_those_of_the_transcript_where_it_has_them():
    s = spoken(["ship", "a"], [12.0, 12.5], [12.4, 12.6])
    phones = pd.DataFrame({"phone": ["SH", "IH1", "P", "AH0"]})
    phones["onset"], phones["offset"] = [12.0, 12.1, 12.3, 12.5], [12.1, 12.3, 12.4, 12.6]
    s = Story(s.name, s.words, s.grid, read_phones=lambda: phones)
    values = speech.of_words(s, {**speech.KIND.options, "phones": True})
    names = speech.columns({"phones": True})
    assert values[:, names.index("phones")].tolist() == [3, 1]
    assert values[:, names.index("phones a second")] == pytest.approx([3 / 0.4, 1 / 0.1])


def test_without_phones_or_dictionary_the_remedy_is_named(monkeypatch):
    def missing(name):
        raise ProblemError([])

    monkeypatch.setattr(speech, "source", missing)
    s = spoken(["ship"], [12.0], [12.4])
    with pytest.raises(ProblemError, match=r"no tier of phones.*lexicon"):
        speech.compute(s, {**speech.KIND.options, "phones": True})


def test_a_story_of_silence_is_silent():
    s = spoken([], np.array([]), np.array([]))
    values = speech.compute(s, speech.KIND.options)
    assert (values[:, -1] == 1).all()
    assert (values[:, :-1] == 0).all()
    assert syntax.compute(s, syntax.KIND.options).shape == (len(values), len(syntax.COLUMNS))
