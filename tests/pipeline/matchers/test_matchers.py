from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.bands.registry import matcher, matcher_names
from pipeline.matchers import lag, ngram, oracle, random
from pipeline.matching.matches import NO_MATCH, Matches, Matching, newest_match
from tests.helpers.stories import random_story, story

RNG = np.random.default_rng(0)


def ngram_by_hand(s, newest, n_max):
    """Longest, then most recent, by trying every earlier word."""
    words, rows = s.words["word"].tolist(), s.grid.row_of(s.words["onset"].to_numpy())
    states = s.grid.states(s.words["onset"].to_numpy())
    found = []
    for row, state in enumerate(states):
        best = (0, NO_MATCH)
        for j in range(state):
            if not 0 <= rows[j] <= newest[row]:
                continue
            n = 0
            while n < n_max and j - n >= 0 and words[j - n] == words[state - n]:
                n += 1
            if n and n >= best[0]:
                best = (n, rows[j])
        found.append(best)
    return found


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 12), st.integers(1, 5), st.integers(2, 10))
def test_ngram_against_brute_force(seed, vocabulary, words_per_row, horizon):
    s = random_story(np.random.default_rng(seed), 40, words_per_row, vocabulary)
    newest = newest_match(40, Matching(horizon=horizon))
    matches = ngram.match(s, newest, RNG, {"n": 4})
    expected = ngram_by_hand(s, newest, 4)
    assert matches.match_row.tolist() == [row for _, row in expected]
    similarity = [n if n else None for n, _ in expected]
    assert [None if np.isnan(x) else x for x in matches.similarity] == similarity


def test_ngram_looks_at_words_in_the_whole_story():
    """The authors' code took TR numbers for word numbers: it saw the first ~300 words (error 2)."""
    n_rows, per_row = 200, 5
    words = [f"filler{k}" for k in range((n_rows + 5) * per_row)]
    phrase = ["we", "went", "to", "the", "sea"]
    for row in (120, 180):  # words 625 and 925 of the story, both beyond word number 200
        words[(row + 5) * per_row : (row + 6) * per_row] = phrase
    matches = ngram.match(
        story(words, n_rows, per_row), newest_match(n_rows, Matching(horizon=2)), RNG, {"n": 4}
    )
    assert np.flatnonzero(matches.match_row != NO_MATCH).tolist() == [180]
    assert matches.match_row[180] == 120
    assert matches.similarity[180] == 4
    assert matches.words[180] == "went to the sea"


def test_ngram_takes_the_most_recent_of_equally_long_matches():
    """The authors' code took the earliest (error 2)."""
    words = [f"filler{k}" for k in range(200)]
    for place in (20, 50, 80):
        words[place + 15] = "sea"
    matches = ngram.match(story(words, 60, 3), newest_match(60, Matching(horizon=2)), RNG, {"n": 4})
    row_of = lambda place: (place + 15) // 3 - 5  # noqa: E731
    assert matches.match_row[row_of(80)] == row_of(50)


def test_match_length_does_not_reward_fast_speech():
    """Similarity must not follow the number of words in the TR (error 3)."""
    rng = np.random.default_rng(1)
    grid_rows = 400
    per_row = rng.integers(1, 8, grid_rows + 5)
    onsets = np.concatenate([2 * k + np.arange(n) * 2 / n for k, n in enumerate(per_row)])
    words = [f"w{k}" for k in rng.integers(0, 12, len(onsets))]
    s = story(words, grid_rows)
    s.words["onset"] = onsets
    matches = ngram.match(s, newest_match(grid_rows, Matching(horizon=2)), RNG, {"n": 4})
    rows = np.arange(50, grid_rows)
    r = np.corrcoef(matches.similarity[rows], per_row[5 + rows])[0, 1]
    assert abs(r) < 0.15


@pytest.mark.parametrize("name", [n for n in matcher_names() if n != "oracle"])
@pytest.mark.parametrize("horizon", [1, 2, 8])
def test_every_matcher_stays_in_the_past(name, horizon, language):
    """Random matches of the authors' code could lie in the future (error 2)."""
    s = random_story(np.random.default_rng(0), n_rows=80)
    newest = newest_match(80, Matching(horizon=horizon))
    module = matcher(name)
    options = {**asdict(Matching()), **module.OPTIONS, **language.get(name, {})}
    matches = module.match(s, newest, np.random.default_rng(0), options)
    found = matches.match_row != NO_MATCH
    assert found.any()
    assert (matches.match_row[found] >= 0).all()
    assert (matches.match_row[found] <= newest[matches.row[found]]).all()


def test_random_matches_are_uniform_over_the_past_and_absent_before():
    newest = newest_match(60, Matching(horizon=2))
    draws = np.stack(
        [
            random.match(None, newest, np.random.default_rng(seed), {}).match_row
            for seed in range(2000)
        ]
    )
    assert (draws[:, :4] == NO_MATCH).all()
    for row in (4, 10, 59):
        counts = np.bincount(draws[:, row], minlength=row - 3)
        assert len(counts) == row - 3
        expected = 2000 / (row - 3)
        assert np.abs(counts - expected).max() < 5 * np.sqrt(expected) + 1


def test_oracle_points_to_the_true_earlier_occurrence(tmp_path):
    (tmp_path / "events.tsv").write_text(
        "story\tevent\toccurrence\tkind\tonset\toffset\trow_first\trow_last\tearlier_row_first"
        "\tearlier_onset\n"
        "story\t1\t0\tfirst\t20\t24\t5\t6\t\t\n"
        "story\t1\t1\tverbatim\t60\t64\t25\t27\t5\t20\n"
        "story\t2\t1\tdecoy\t80\t84\t35\t36\t8\t26\n"
        "other\t1\t1\tverbatim\t60\t64\t40\t41\t5\t20\n"
    )
    newest = newest_match(50, Matching(horizon=2))
    matches = oracle.match(story(["a"] * 200, 50), newest, RNG, {"truth": str(tmp_path)})
    found = np.flatnonzero(matches.match_row != NO_MATCH)
    assert found.tolist() == [25, 26, 27]
    assert matches.match_row[found].tolist() == [5, 6, 7]


# --- lag-matched control


def some_matches(n_rows=300, seed=0):
    rng = np.random.default_rng(seed)
    match_row = np.arange(n_rows) - rng.choice([20, 30, 55], n_rows)
    match_row[rng.random(n_rows) < 0.3] = NO_MATCH
    return Matches.hard(np.where(match_row >= 0, match_row, NO_MATCH), np.ones(n_rows))


def redrawn(seed=0, draws=20):
    by_story = {name: some_matches(seed=k) for k, name in enumerate(["a", "b", "test"])}
    newest = {name: newest_match(300, Matching(horizon=2)) for name in by_story}
    return by_story, lag.redraw(by_story, newest, ["a", "b"], seed, "ngramlag", draws, 10)


def test_lag_control_never_uses_the_match_itself():
    by_story, control = redrawn()
    for name, matches in control.items():
        own = by_story[name].match_row[matches.row]
        found = matches.match_row != NO_MATCH
        assert (matches.match_row[found] != own[found]).all()


def test_lag_control_has_the_matchers_lags_and_gaps():
    by_story, control = redrawn(draws=200)
    own = by_story["test"]
    matches = control["test"]
    found = matches.match_row != NO_MATCH
    lags = matches.row[found] - matches.match_row[found]
    assert set(lags) == {20, 30, 55}
    assert not np.isin(matches.row[found], own.row[own.match_row == NO_MATCH]).any()
    shares = [(lags[matches.row[found] > 100] == k).mean() for k in (20, 30, 55)]
    np.testing.assert_allclose(shares, 1 / 3, atol=0.08)
    weights = np.bincount(matches.row, matches.weight, minlength=300)
    assert set(np.round(weights, 9)) == {0.0, 1.0}


def test_lag_control_draws_from_training_lags_only():
    by_story = {"a": some_matches(seed=0), "test": some_matches(seed=1)}
    test_rows = by_story["test"].row
    by_story["test"].match_row = np.where(test_rows >= 77, test_rows - 77, NO_MATCH)
    newest = {name: newest_match(300, Matching(horizon=2)) for name in by_story}
    control = lag.redraw(by_story, newest, ["a"], 0, "x", 20, 5)["test"]
    found = control.match_row != NO_MATCH
    assert set(control.row[found] - control.match_row[found]) == {20, 30, 55}


def test_lag_control_is_seeded():
    same = [redrawn(seed=3)[1]["a"].match_row for _ in range(2)]
    assert (same[0] == same[1]).all()
    assert (same[0] != redrawn(seed=4)[1]["a"].match_row).any()
