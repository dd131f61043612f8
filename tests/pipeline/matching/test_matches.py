import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.random import generator
from pipeline.core.series import delay
from pipeline.matching.matches import (
    NO_MATCH,
    Matches,
    Matching,
    drop_below,
    fir_of_matches,
    induction_features,
    keep_best,
    kept_from,
    load_matches,
    newest_match,
    save_matches,
)


def test_published_rule():
    """Horizon 2, first delay 1, changes up to 3 TRs: matches end at row f - 4."""
    assert newest_match(6, Matching(horizon=2)).tolist() == [-4, -3, -2, -1, 0, 1]


@given(
    st.integers(1, 12),
    st.lists(st.integers(1, 6), min_size=1, max_size=3),
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.none() | st.integers(1, 20),
)
def test_newest_match_keeps_the_horizon(horizon, offsets, delays, min_lag):
    matching = Matching(tuple(offsets), delays=tuple(delays), min_lag=min_lag, horizon=horizon)
    rows = np.arange(40)
    newest = newest_match(40, matching)
    newest_bold = newest + max(offsets)
    assert (newest_bold <= rows + min(delays) - horizon).all()
    assert (rows - newest >= max(min_lag or 0, 1)).all()
    if min_lag is None and horizon + max(offsets) - min(delays) >= 1:
        assert (newest_bold == rows + min(delays) - horizon).all()  # nor any older than needed


def test_features_are_changes_after_the_match():
    scores = np.random.default_rng(0).standard_normal((30, 4))
    match_row = np.full(30, NO_MATCH)
    match_row[20], match_row[25] = 3, 21
    features = induction_features(Matches.hard(match_row, np.ones(30)), scores, (1, 2, 3))
    for row in (20, 25):
        m = match_row[row]
        expected = [scores[m + 1] - scores[m], scores[m + 2] - scores[m], scores[m + 3] - scores[m]]
        np.testing.assert_allclose(features[row], np.concatenate(expected))


def test_the_control_before_the_match_copies_older_bold_only():
    scores = np.random.default_rng(0).standard_normal((30, 4))
    match_row = np.full(30, NO_MATCH)
    match_row[20], match_row[25] = 9, 1
    matches = Matches.hard(match_row, np.ones(30))
    features = induction_features(matches, scores, (1, 2, 3), before=True)
    expected = [scores[8] - scores[9], scores[7] - scores[9], scores[6] - scores[9]]
    np.testing.assert_allclose(features[20], np.concatenate(expected))
    np.testing.assert_allclose(features[25, :4], scores[0] - scores[1])
    assert (features[25, 4:] == 0).all()  # rows -1 and -2 do not exist


def test_no_match_is_a_value_of_its_own_and_gives_zeros():
    """The authors' code fell back to word 0 (error 4)."""
    scores = np.random.default_rng(0).standard_normal((10, 2))
    matches = Matches.hard(np.full(10, NO_MATCH), np.ones(10))
    assert (induction_features(matches, scores, (1, 2, 3)) == 0).all()
    assert np.isnan(matches.similarity).all()
    assert (matches.weight == 0).all()


def test_several_matches_are_averaged_by_weight():
    scores = np.arange(20.0)[:, None] ** 2
    matches = Matches(
        row=np.array([15, 15]),
        match_row=np.array([2, 5]),
        weight=np.array([0.25, 0.75]),
        similarity=np.ones(2),
    )
    features = induction_features(matches, scores, (1,))
    assert features[15, 0] == pytest.approx(0.25 * (9 - 4) + 0.75 * (36 - 25))


def stacked_then_delayed(values, stack, delays):
    stacked = np.concatenate([delay(values, [s]) for s in range(stack)], axis=1)
    return np.concatenate([delay(stacked, [d]) for d in delays], axis=1)


def test_distinct_delays_stand_for_stacking_and_delaying():
    """Copies of a column (error 6) are one column scaled by the square root of their number."""
    rng = np.random.default_rng(0)
    values, y, alpha = rng.standard_normal((80, 3)), rng.standard_normal(80), 5.0
    published = stacked_then_delayed(values, 3, (1, 2, 3, 4))
    delays, weights = fir_of_matches(Matching(delays=(1, 2, 3, 4), stack=3))
    assert delays == [1, 2, 3, 4, 5, 6]
    np.testing.assert_allclose(np.square(weights), [1, 2, 3, 3, 2, 1])
    ours = delay(values, delays) * np.repeat(weights, 3)
    assert np.linalg.matrix_rank(published) < published.shape[1]
    assert np.linalg.matrix_rank(ours) == ours.shape[1]

    def ridge_predictions(X):
        return X @ np.linalg.solve(X.T @ X + alpha * np.eye(X.shape[1]), X.T @ y)

    np.testing.assert_allclose(ridge_predictions(ours), ridge_predictions(published), atol=1e-10)


def test_matches_survive_a_file(tmp_path):
    matches = Matches.hard(
        np.array([NO_MATCH, NO_MATCH, 0, 1]), np.array([0, 0, 2, 4.0]), ["", "", "a b", "a b c d"]
    )
    save_matches(tmp_path / "m.parquet", {"s1": matches, "s2": matches})
    loaded = load_matches(tmp_path / "m.parquet")
    assert list(loaded) == ["s1", "s2"]
    for key in ("row", "match_row", "weight", "similarity", "words"):
        np.testing.assert_array_equal(getattr(loaded["s2"], key), getattr(matches, key))


def test_generators_depend_on_names_and_seed_only():
    a = generator(0, "UTS01", "random", "story").random(3)
    assert (a == generator(0, "UTS01", "random", "story").random(3)).all()
    assert (a != generator(1, "UTS01", "random", "story").random(3)).any()
    assert (a != generator(0, "UTS02", "random", "story").random(3)).any()


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 1), st.booleans())
def test_a_new_story_keeps_what_it_would_have_kept_in_the_run(seed, fraction, ties):
    """The threshold is known from the matches that were kept, of training stories alone."""
    rng, found = np.random.default_rng(seed), {}
    for story in ("a", "b", "new"):
        similarity = rng.integers(0, 4, 12) / 4 if ties else rng.random(12)
        row = np.where(rng.random(12) < 0.6, np.maximum(np.arange(12) - 3, 0), NO_MATCH)
        found[story] = Matches.hard(row, similarity)
    run = keep_best({s: found[s] for s in ("a", "b")}, ["a", "b"], fraction)
    alone = drop_below(found["new"], kept_from(run, ["a", "b"]))
    together = keep_best(found, ["a", "b"], fraction)["new"]
    np.testing.assert_array_equal(alone.match_row, together.match_row)
    np.testing.assert_array_equal(alone.similarity, together.similarity)
