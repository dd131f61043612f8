"""The nearest passages against scikit-learn, and the spaces in which they are looked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_similarity

from pipeline.recall.nearest import Space, effective_number, nearest, soft_weights


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(1, 40), st.integers(1, 12))
def test_the_nearest_are_those_of_scikit_learn(seed, n_queries, n_passages, k):
    rng = np.random.default_rng(seed)
    queries, memory = rng.standard_normal((n_queries, 5)), rng.standard_normal((n_passages, 5))
    allowed = rng.random(n_passages) < 0.8
    allowed[0] = True
    space = Space.fit(memory, "none")
    index, cosine = nearest(space.place(queries), space.place(memory), allowed, k)
    expected = cosine_similarity(queries, memory[allowed])
    expected = -np.sort(-expected, axis=1)[:, :k]
    np.testing.assert_allclose(cosine, expected, atol=1e-5)
    assert allowed[index].all()
    found = np.take_along_axis(cosine_similarity(queries, memory), index, axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_where_nothing_may_be_found_nothing_is():
    index, cosine = nearest(np.ones((3, 2)), np.ones((4, 2)), np.zeros(4, bool), 2)
    assert index.shape == cosine.shape == soft_weights(cosine, 0.1).shape == (3, 0)


def test_blocks_of_queries_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    queries, memory = rng.standard_normal((50, 4)), rng.standard_normal((30, 4))
    whole = nearest(queries, memory, np.ones(30, bool), 5)
    monkeypatch.setattr("pipeline.recall.nearest.BLOCK", 7)
    np.testing.assert_array_equal(nearest(queries, memory, np.ones(30, bool), 5)[0], whole[0])


@pytest.mark.parametrize("how", ["centre", "standardise", "whiten"])
def test_spaces_take_the_memorys_mean_and_variances_away(how):
    rng = np.random.default_rng(1)
    states = rng.standard_normal((400, 6)) @ rng.standard_normal((6, 6)) * [1, 1, 1, 1, 1, 50] + 9
    space = Space.fit(states, how)
    placed = (states.astype(np.float32) - space.mean) @ (
        space.map if how == "whiten" else np.diag(space.map)
    )
    np.testing.assert_allclose(placed.mean(axis=0), 0, atol=1e-3)
    if how == "standardise":
        np.testing.assert_allclose(placed.std(axis=0), 1, atol=1e-3)
    if how == "whiten":
        large = np.sort(np.linalg.eigvalsh(np.cov(placed.T)))[-1]
        assert large == pytest.approx(1, abs=0.02)
        assert abs(np.corrcoef(placed.T) - np.eye(6)).max() < 1e-2


def test_a_state_that_says_nothing_is_like_none():
    space = Space.fit(np.array([[1.0, 2.0], [3.0, 2.0]]), "centre")
    assert (space.place(np.array([[2.0, 2.0]])) == 0).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 2))
def test_weights_are_shares_that_fall_with_the_cosine(seed, temperature):
    cosine = -np.sort(-np.random.default_rng(seed).uniform(-1, 1, (4, 6)), axis=1)
    weight = soft_weights(cosine, temperature)
    expected = np.exp((cosine - 1) / temperature)
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(weight, expected, atol=1e-6)
    number = effective_number(weight)
    assert ((number >= 1 - 1e-5) & (number <= 6 + 1e-5)).all()
    np.testing.assert_allclose(effective_number(np.full((1, 6), 1 / 6)), 6, rtol=1e-6)
