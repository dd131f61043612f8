"""Exact induction against brute force."""

import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gim.induction.exact import ExactInduction
from gim.scores import rank


def brute(context: list[int]) -> tuple[int, list[int]]:
    """Longest suffix seen before and the positions of what followed, by trying everything."""
    for n in range(len(context) - 1, -1, -1):
        suffix = context[len(context) - n :]
        ends = [p for p in range(n, len(context)) if context[p - n : p] == suffix]
        if ends:
            return n, ends
    return 0, []


tokens = st.one_of(
    st.lists(st.integers(0, 1), max_size=80),
    st.lists(st.integers(0, 3), max_size=80),
    st.lists(st.sampled_from([7, 65_535, 65_536, 70_000, 2**32 - 2]), max_size=60),
    st.lists(st.just(5), max_size=60),
    st.lists(st.sampled_from([[1, 2, 3, 1, 2], [1, 2, 4], [9]]), max_size=25).map(
        lambda parts: [token for part in parts for token in part]
    ),
)


@settings(max_examples=400, deadline=None)
@given(tokens, st.one_of(st.none(), st.integers(1, 40)))
def test_every_step_agrees_with_brute_force(ids, window):
    """Known errors: ids wrapped at 16 bits; a suffix of length 0 was taken for the whole query.

    Without a match all tokens of the context answer, and a match always has a continuation.
    """
    induction = ExactInduction(window)
    for t, token in enumerate(ids):
        length = induction.push(token)
        begin = 0 if window is None else max(0, t + 1 - window)
        expected, ends = brute(ids[begin : t + 1])
        assert length == induction.suffix_len == expected
        assert induction.matches().tolist() == [begin + p for p in ends]
        found = dict(zip(*(a.tolist() for a in induction.counts()), strict=True))
        assert found == Counter(ids[begin + p] for p in ends)


@settings(max_examples=100, deadline=None)
@given(tokens, st.one_of(st.none(), st.integers(1, 40)))
def test_scores_are_those_of_single_steps(ids, window):
    targets = np.array([*ids[1:], 3], np.int64)[: len(ids)]
    whole = ExactInduction(window).score(ids, targets)
    step = ExactInduction(window)
    for t, token in enumerate(ids):
        assert step.push(token) == whole.suffix_len[t]
        top, p, greater, equal = rank(*step.counts(), int(targets[t]))
        assert (top, greater, equal) == (whole.top[t], whole.greater[t], whole.equal[t])
        assert p == pytest.approx(whole.p_next[t])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=60), st.one_of(st.none(), st.integers(1, 40)))
def test_a_text_is_read_as_it_is_by_single_steps(ids, window):
    reader, step = ExactInduction(window), ExactInduction(window)
    parts = [reader.read(ids[:7], 5), reader.read(ids[7:], 5)]
    shares, lengths = (np.concatenate(part) for part in zip(*parts, strict=True))
    for t, token in enumerate(ids):
        expected = np.zeros(5)
        found, counts = step.counts()
        expected[found] = counts / max(counts.sum(), 1)
        np.testing.assert_array_equal(shares[t], expected)
        assert lengths[t] == step.suffix_len
        step.push(token)


def test_a_token_for_which_there_is_no_column_is_refused():
    with pytest.raises(ValueError, match="not below 5"):
        ExactInduction().read([1, 5], 5)


@settings(max_examples=100, deadline=None)
@given(tokens, st.integers(0, 80))
def test_scores_do_not_depend_on_where_a_text_is_cut(ids, cut):
    targets = np.array([*ids[1:], 3], np.int64)[: len(ids)]
    whole, parts = ExactInduction().score(ids, targets), ExactInduction()
    found = [parts.score(ids[a:b], targets[a:b]) for a, b in ((0, cut), (cut, None))]
    for name in ("suffix_len", "top", "p_next", "greater", "equal"):
        joined = np.concatenate([getattr(part, name) for part in found])
        assert np.array_equal(joined, getattr(whole, name))


TRACED = """
import sys
import numpy as np
from gim.induction.exact import ExactInduction

def texts(n):
    fresh, once = np.arange(n) + 2, np.full(n, 1)
    yield "fresh", fresh
    yield "one among fresh", np.where(np.arange(n) % 2, fresh, once)
    yield "one among pairs", np.where(np.arange(n) % 2, fresh // 4, once)
    yield "one alone", once

def lines(ids):
    count = 0
    def trace(frame, event, argument):
        nonlocal count
        if "_kernels" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return trace
    sys.settrace(trace)
    ExactInduction().score(ids, np.append(ids[1:], 0))
    sys.settrace(None)
    return count

for (name, short), (_, long) in zip(texts(200), texts(800), strict=True):
    print(f"{name}: {lines(long) / lines(short):.1f}")
"""


def test_the_work_of_scoring_hardly_outgrows_the_text():
    """Lines that the kernels run, uncompiled: four times the text takes less than six times."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-W", "ignore", "-c", TRACED]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    grown = dict(line.split(": ") for line in done.stdout.splitlines())
    assert len(grown) == 4
    assert all(float(times) < 6 for times in grown.values()), grown


def test_long_window_stream_agrees_with_diagonal_matching():
    """m[lag] counts how far back two positions ``lag`` apart agree: an independent O(W) method."""
    rng = np.random.default_rng(3)
    window, ids = 257, rng.choice(40, 6000, p=rng.dirichlet(np.full(40, 0.3)))
    ids[3000:3700] = ids[1900:2600]
    run = np.zeros(window, np.int64)
    expected = []
    for t in range(len(ids)):
        lags = np.arange(1, min(t, window - 1) + 1)
        run[lags] = np.where(ids[t - lags] == ids[t], run[lags] + 1, 0)
        expected.append(np.minimum(run[lags], window - lags).max(initial=0))
    assert ExactInduction(window).extend(ids).tolist() == expected


def test_growing_in_pieces_is_growing_at_once():
    ids = np.random.default_rng(0).integers(0, 6, 5000)
    pieces = ExactInduction()
    lengths = [pieces.extend(part) for part in np.array_split(ids, 17)]
    whole = ExactInduction()
    assert np.concatenate(lengths).tolist() == whole.extend(ids).tolist()
    assert pieces.matches().tolist() == whole.matches().tolist()


def test_first_tokens_back_off_to_unigrams_of_the_context():
    induction = ExactInduction()
    assert [a.tolist() for a in induction.counts()] == [[], []]
    induction.extend([4, 9, 9, 2])
    assert induction.suffix_len == 0
    assert [a.tolist() for a in induction.counts()] == [[9, 2, 4], [2, 1, 1]]


def test_a_run_at_the_end_has_a_continuation():
    """The run itself must not count as a match without a continuation (known error)."""
    induction = ExactInduction()
    induction.extend([1, 7, 7, 7])
    assert induction.suffix_len == 2
    assert [a.tolist() for a in induction.counts()] == [[7], [1]]


def test_window_memory_is_flat():
    induction = ExactInduction(64)
    before = sum(a.nbytes for a in induction.arrays)
    induction.extend(np.random.default_rng(1).integers(0, 100_000, 50_000))
    assert sum(a.nbytes for a in induction.arrays) == before
    assert len(induction) == 64


@pytest.mark.parametrize(
    ("ids", "error", "words"),
    [
        ([0.5], TypeError, "integers"),
        ([-1], ValueError, "position 0"),
        ([3, 2**32 - 1], ValueError, "position 1"),
        ([[1, 2]], ValueError, "flat"),
    ],
)
def test_bad_tokens_are_refused(ids, error, words):
    with pytest.raises(error, match=words):
        ExactInduction().extend(ids)


def test_bad_window_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        ExactInduction(0)
