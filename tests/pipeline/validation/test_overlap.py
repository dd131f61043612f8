"""Runs of eight words that texts share, against a search by brute force."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.validation import overlap
from pipeline.validation.overlap import RUN, WordRuns, words_of


def by_hand(texts, documents):
    """Every run of every text looked for in every document."""
    there = {tuple(d[i : i + RUN]) for d in documents for i in range(len(d) - RUN + 1)}
    runs = [[tuple(t[i : i + RUN]) for i in range(len(t) - RUN + 1)] for t in texts]
    return [np.mean([run in there for run in own]) if own else 0 for own in runs]


word = st.sampled_from([b"a", b"b", b"c"])
texts = st.lists(st.lists(word, max_size=40), max_size=4)


@settings(max_examples=150, deadline=None)
@given(texts, texts, st.sampled_from([1, 7, 1 << 20]))
def test_shares_are_those_of_a_search_by_brute_force(own, others, block):
    """With documents of these words and of others, in blocks that cut nothing apart."""
    others = [[*other, b"new", *other[3:]] for other in others] + others
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlap, "BLOCK", block)
        runs = WordRuns(own)
        assert runs.shares(others).tolist() == pytest.approx(by_hand(own, others))
    assert runs.n_runs == [max(len(text) - RUN + 1, 0) for text in own]


def test_a_run_does_not_go_on_in_the_next_document_or_text():
    story = [b"%d" % i for i in range(12)]
    assert WordRuns([story]).shares([story[:7], story[7:]]).tolist() == [0]
    assert WordRuns([story[:7], story[7:]]).shares([story]).tolist() == [0, 0]
    assert WordRuns([story, story[2:11]]).shares([story[:9]]).tolist() == [2 / 5, 0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's THE end--of 'it'...", "its the end of it"),
        ("\u201cWe\u2019re here\u201d\u2014she said, in caf\u00e9s", "were here she said in cafés"),
        ("cafe\u0301 \u00c9t\u00e9", "café été"),
        ("a_b\tc\nd\u00a0e\u2028f 3.5%", "a b c d e f 3 5"),
        ("Привет, мир! 你好。", "привет мир 你好"),
        ("", ""),
    ],
)
def test_words_have_neither_case_nor_punctuation(text, words):
    assert [word.decode() for word in words_of(text)] == words.split()


def test_a_corpus_of_a_million_words_takes_seconds():
    """25 million words in a minute of one core; by processor time, with room to spare."""
    rng = np.random.default_rng(0)
    vocabulary = np.array([f"word{i}" for i in range(20_000)])

    def text(n):
        return " ".join(vocabulary[(20_000 * rng.random(n) ** 3).astype(int)])

    stories = [text(2000) for _ in range(20)]
    documents = [text(5000) for _ in range(200)] + [f"before {stories[3]}, after."]
    started = time.process_time()
    runs = WordRuns([words_of(story) for story in stories])
    shares = runs.shares(map(words_of, documents))
    assert time.process_time() - started < 60 / 25
    assert shares[3] == 1
    assert shares[[0, 1, 2, *range(4, 20)]].max() < 0.01
