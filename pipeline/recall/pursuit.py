"""The few passages that together say most of a context: non-negative orthogonal matching pursuit.

The passages that are most like a context are like one another, and ten of them say little more than
one. Pursuit takes the passage most like the context, then the one most like what is still missing,
and so on, each time with the best weights for all of them that are not negative (Bruckstein, Elad
and Zibulevsky 2008, https://doi.org/10.1109/TIT.2008.929920). So a row is a mixture of passages.
"""

from __future__ import annotations

import numpy as np

BLOCK = 1024  # queries at a time
TINY = 1e-12
SWEEPS, LAST = 20, 50  # over a row's weights, when a passage comes to them, and in the end


def pursue(
    queries: np.ndarray, memory: np.ndarray, allowed: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """At most `k` passages whose mixture is near each query.

    Parameters
    ----------
    queries, memory : arrays of shape (n_queries, dim), (n_passages, dim)
        Unit vectors (`pipeline.recall.nearest.Space.place`).
    allowed : array of bool, shape (n_passages,)
        Passages that may be found.
    k : int
        How many; fewer where there are fewer.

    Returns
    -------
    index : array of int32, shape (n_queries, k)
        In the order in which they were taken; the first is the most alike.
    weight : array of shape (n_queries, k), float32
        Their shares, none negative, rows summing to one; 0 for those that are of no use beside
        others.
    cosine : array of shape (n_queries, k), float32
    """
    places = np.flatnonzero(allowed)
    among, k = memory[places], min(k, len(places))
    index = np.zeros((len(queries), k), np.int32)
    weight, cosine = np.zeros((2, len(queries), k), np.float32)
    for start in range(0, len(queries) if k else 0, BLOCK):
        block = slice(start, start + BLOCK)
        found, weight[block], cosine[block] = _pursue(queries[block], among, k)
        index[block] = places[found]
    return index, weight, cosine


def _pursue(
    queries: np.ndarray, among: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices into `among`, shares and cosines, (n, k) each."""
    n = len(queries)
    each = np.arange(n)
    index, taken = np.zeros((n, k), int), np.zeros((n, len(among)), bool)
    weight, cosine = np.zeros((2, n, k), np.float32)
    gram = np.zeros((n, k, k), np.float32)
    chosen = np.zeros((n, k, queries.shape[1]), np.float32)
    missing = queries
    for t in range(k):
        alike = missing @ among.T
        alike[taken] = -np.inf
        index[:, t] = alike.argmax(axis=1)
        taken[each, index[:, t]] = True
        chosen[:, t] = among[index[:, t]]
        gram[:, t] = (chosen @ chosen[:, t, :, None])[..., 0]
        gram[:, :, t] = gram[:, t]
        cosine[:, t] = (chosen[:, t] * queries).sum(axis=1)
        _fit(gram, cosine, weight, t + 1, SWEEPS)
        missing = queries - (weight[:, None] @ chosen)[:, 0]
    _fit(gram, cosine, weight, k, LAST)
    total = weight.sum(axis=1)
    weight[total == 0, 0] = 1
    return index, weight / weight.sum(axis=1, keepdims=True), cosine


def _fit(gram: np.ndarray, cosine: np.ndarray, weight: np.ndarray, n: int, sweeps: int) -> None:
    """Improve the first `n` weights, in place: least squares without negative ones."""
    own = np.maximum(np.diagonal(gram, axis1=1, axis2=2), TINY)  # 0 of a passage without direction
    for _ in range(sweeps if n > 1 else 1):
        for j in range(n):
            missing = cosine[:, j] - (gram[:, j] * weight).sum(axis=1)
            weight[:, j] = np.maximum(weight[:, j] + missing / own[:, j], 0)
