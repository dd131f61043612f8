"""Mixtures of few passages against scipy's non-negative least squares."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from pipeline.recall.nearest import Space, nearest
from pipeline.recall.pursuit import pursue


def placed(seed: int, n: int, dim: int = 24) -> np.ndarray:
    states = np.random.default_rng(seed).standard_normal((n, dim))
    return Space.fit(states, "none").place(states)


def left(query: np.ndarray, atoms: np.ndarray) -> float:
    """What no mixture of some passages explains of a query."""
    return nnls(atoms.T.astype(float), query.astype(float))[1]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 25), st.integers(1, 5))
def test_weights_are_those_of_scipy_on_the_passages_taken(seed, n_passages, k):
    queries, memory = placed(seed, 7), placed(seed + 1, n_passages)
    allowed = np.ones(n_passages, bool)
    allowed[0] = False
    index, weight, cosine = pursue(queries, memory, allowed, k)
    assert index.shape == weight.shape == (7, min(k, n_passages - 1))
    assert (weight >= 0).all() and allowed[index].all()
    np.testing.assert_allclose(weight.sum(axis=1), 1, rtol=1e-5)
    for query, own, share, alike in zip(queries, index, weight, cosine, strict=True):
        assert len(set(own)) == len(own)
        np.testing.assert_allclose(alike, memory[own] @ query, atol=1e-5)
        best = nnls(memory[own].T.astype(float), query.astype(float))[0]
        if best.sum() > 0:
            scaled = share / share.sum() * best.sum()
            error = np.linalg.norm(query - scaled @ memory[own])
            assert error <= left(query, memory[own]) + 0.01


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_each_passage_is_the_one_most_like_what_was_missing(seed):
    queries, memory = placed(seed, 5), placed(seed + 1, 20)
    index, _, _ = pursue(queries, memory, np.ones(20, bool), 4)
    first, _ = nearest(queries, memory, np.ones(20, bool), 1)
    np.testing.assert_array_equal(index[:, :1], first)
    for query, own in zip(queries, index, strict=True):
        for t in range(1, 4):
            atoms = memory[own[:t]].astype(float)
            share = nnls(atoms.T, query.astype(float))[0]
            alike = (query - share @ atoms) @ memory.T
            alike[own[:t]] = -np.inf
            assert alike[own[t]] >= alike.max() - 0.02


def test_a_mixture_of_passages_is_found_where_the_nearest_are_all_alike():
    rng = np.random.default_rng(0)
    a, b, other = np.eye(40)[0], np.eye(40)[1], rng.standard_normal((50, 40))
    many = a + 0.05 * rng.standard_normal((30, 40))  # passages like the first, over and over
    memory = Space.fit(other, "none").place(np.vstack([many, b, other]))
    query = (0.8 * a + 0.6 * b)[None].astype(np.float32)
    index, weight, _ = pursue(query, memory, np.ones(len(memory), bool), 3)
    near, _ = nearest(query, memory, np.ones(len(memory), bool), 3)
    assert 30 in index[0] and 30 not in near[0]
    assert weight[0, index[0] == 30][0] > 0.25


def test_blocks_of_queries_change_nothing(monkeypatch):
    queries, memory = placed(0, 50), placed(1, 30)
    whole = pursue(queries, memory, np.ones(30, bool), 5)
    monkeypatch.setattr("pipeline.recall.pursuit.BLOCK", 7)
    for found, expected in zip(pursue(queries, memory, np.ones(30, bool), 5), whole, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_state_that_says_nothing_and_a_memory_without_passages():
    memory = placed(1, 4)
    _, weight, _ = pursue(np.zeros((2, 24), np.float32), memory, np.ones(4, bool), 3)
    np.testing.assert_array_equal(weight.sum(axis=1), 1)
    index, weight, cosine = pursue(placed(0, 3), memory, np.zeros(4, bool), 3)
    assert index.shape == weight.shape == cosine.shape == (3, 0)
