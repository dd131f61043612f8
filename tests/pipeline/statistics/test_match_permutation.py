"""Permuted matches: what they keep, that all are equally likely, and calibration on stories.

Stories, events and matches are the simulation's. Voxels are independent given the story, each with
responses to the events of its own, and copy their own changes of BOLD after the match.
"""

from dataclasses import asdict
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from pipeline.core.series import zscore
from pipeline.dataset.story import Story
from pipeline.matchers import ngram
from pipeline.matching.matches import NO_MATCH, Matching, newest_match
from pipeline.simulation.bold import evoked
from pipeline.simulation.settings import Settings
from pipeline.simulation.story import tell
from pipeline.statistics.match_permutation import Copies, Runs, match_null, permuted_matches
from tests.pipeline.statistics.test_significance import p_of, within_exact_bounds

N_VOXELS = 120


def lag_bins(match_row):
    rows = np.flatnonzero(match_row != NO_MATCH)
    return np.floor(np.log2(rows - match_row[rows])).astype(int)


@st.composite
def story_matches(draw):
    """Matches at least four rows back, with gaps."""
    n_rows = draw(st.integers(6, 60))
    chosen = [
        draw(st.integers(NO_MATCH, row - 4)) if row >= 4 else NO_MATCH for row in range(n_rows)
    ]
    return np.array(chosen)


@given(story_matches())
@settings(max_examples=15, deadline=None)
def test_draws_keep_rows_lag_bins_and_the_horizon(match_row):
    newest = np.arange(len(match_row)) - 4
    drawn = permuted_matches(match_row, newest, 5, np.random.default_rng(0))
    has_match = match_row != NO_MATCH
    for draw in drawn:
        np.testing.assert_array_equal(draw != NO_MATCH, has_match)
        np.testing.assert_array_equal(lag_bins(draw), lag_bins(match_row))
        assert (draw[has_match] <= newest[has_match]).all()
    if all(Runs.of(match_row).length == 1):
        for draw in drawn:
            assert sorted(draw) == sorted(match_row)


@given(story_matches())
def test_runs_are_the_matches(match_row):
    runs = Runs.of(match_row)
    np.testing.assert_array_equal(runs.rows(runs.match_row[None], len(match_row))[0], match_row)


def test_rows_that_follow_a_passage_move_together():
    match_row = np.full(90, NO_MATCH)
    match_row[60:63] = [10, 11, 12]
    match_row[70:73] = [15, 16, 17]
    drawn = permuted_matches(match_row, np.arange(90) - 4, 100, np.random.default_rng(0))
    swapped = drawn[:, 60] == 15
    assert 0.3 < swapped.mean() < 0.7
    np.testing.assert_array_equal(drawn[swapped][:, 60:63] - [15, 16, 17], 0)
    np.testing.assert_array_equal(drawn[swapped][:, 70:73] - [10, 11, 12], 0)


def test_all_possible_exchanges_are_equally_likely():
    rows, matched = np.array([40, 43, 47, 52, 60]), np.array([5, 20, 9, 1, 30])
    match_row = np.full(61, NO_MATCH)
    match_row[rows] = matched
    bins = lag_bins(match_row)
    possible = [
        order for order in permutations(matched)
        if (order < rows - 3).all() and (np.floor(np.log2(rows - order)).astype(int) == bins).all()
    ]  # fmt: skip
    assert 4 <= len(possible) < 120
    drawn = permuted_matches(match_row, np.arange(61) - 4, 4000, np.random.default_rng(1))
    drawn = [tuple(draw) for draw in drawn[:, rows]]
    counts = [drawn.count(order) for order in possible]
    assert sum(counts) == 4000
    assert chisquare(counts).pvalue > 1e-3


@pytest.fixture(scope="module")
def stories():
    """Words, matches of the n-gram matcher and of the oracle, in twelve stories."""
    return [simulated(seed) for seed in range(12)]


def simulated(seed):
    story = tell("s", np.random.default_rng(seed), Settings(rows=(180, 220)))
    words = pd.DataFrame(sorted(story.words), columns=["onset", "offset", "word"])
    newest = newest_match(story.grid.n_rows, Matching(horizon=2))
    options = {**asdict(Matching()), **ngram.OPTIONS}
    found = ngram.match(Story("s", words, story.grid), newest, np.random.default_rng(0), options)
    oracle = np.full(story.grid.n_rows, NO_MATCH)
    for o in story.occurrences:
        if o.earlier and o.kind != "decoy":
            rows = np.arange(o.row_first, o.row_last + 1)
            earlier = rows - o.row_first + o.earlier.row_first
            rows = rows[(earlier >= 0) & (earlier <= newest[rows])]
            oracle[rows] = rows - o.row_first + o.earlier.row_first
    return story, newest, {"ngram": found.match_row, "oracle": oracle}


def listen(story, rng, region):
    """BOLD of voxels: noise (D), or events whose responses recur (B), or are drawn anew (null)."""
    noise = rng.standard_normal((story.grid.n_rows, N_VOXELS))
    if region == "D":
        return zscore(noise)
    told = [o for o in story.occurrences if o.kind != "decoy"]
    times = story.grid.volume_starts()[story.grid.kept] + story.grid.tr / 2
    single = evoked(times, np.array([o.onset for o in told]), np.array([o.offset for o in told]))
    z = rng.standard_normal((99, N_VOXELS))
    events = np.arange(len(told)) if region == "null" else [o.phrase for o in told]
    return zscore(zscore(single @ z[events]) + noise)


def copying(bold):
    """A model that predicts the mean change after the match, one to four TRs later."""
    n_rows = len(bold)
    changes = np.zeros((n_rows + 1, N_VOXELS), np.float32)
    changes[: n_rows - 3] = sum(bold[j : n_rows - 3 + j] - bold[: n_rows - 3] for j in (1, 2, 3))
    added = np.stack([factor * changes for factor in (0.5, 1, 1, 0.5)])
    return Copies(np.zeros_like(changes[:-1]), bold, (1, 2, 3, 4), added)


def p_of_matcher(stories, matcher, region, seed):
    """p of voxels in pairs of stories, pair after pair."""
    rng = np.random.default_rng(seed)
    p = []
    for pair in zip(stories[::2], stories[1::2], strict=True):
        rows = [matches[matcher] for _, _, matches in pair]
        draws = [permuted_matches(m, n, 99, rng) for m, (_, n, _) in zip(rows, pair, strict=True)]
        copies = [copying(listen(story, rng, region)) for story, _, _ in pair]
        p.append(p_of(*match_null(copies, rows, draws)))
    return np.concatenate(p)


@pytest.mark.parametrize("region", ["D", "null"])
@pytest.mark.parametrize("matcher", ["ngram", "oracle"])
def test_matches_that_mean_nothing_have_their_nominal_rate(stories, matcher, region):
    p = p_of_matcher(stories, matcher, region, seed=2)
    assert all(within_exact_bounds(p, level) for level in (0.05, 0.02))


@pytest.mark.parametrize("matcher", ["ngram", "oracle"])
def test_matches_to_recurring_events_are_found(stories, matcher):
    assert (p_of_matcher(stories[:4], matcher, "B", seed=3) <= 0.05).mean() > 0.4


def test_predictions_are_of_the_rows_before():
    copies = Copies(np.zeros((5, 1)), np.zeros((5, 1)), (1, 3), np.arange(12.0).reshape(2, 6, 1))
    predicted = copies.predicted(np.array([NO_MATCH, NO_MATCH, NO_MATCH, NO_MATCH, 0]))
    np.testing.assert_array_equal(predicted[:, 0], [0, 5, 5, 16, 16])
    assert copies.predicted(np.array([2, 5, 5, 5, 5]))[[1, 3], 0].tolist() == [2, 5 + 8]
