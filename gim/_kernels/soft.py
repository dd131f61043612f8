"""Compiled accumulation of soft counts."""

import numpy as np
from numba import njit

TIE = 1e-5  # relative difference below which two soft counts are equal


@njit(cache=True)
def soft_rank(weights, local, ids, low, high, targets, top, p_next, greater, equal):
    """Sum weights by the token that followed, and rank each row's target.

    ``weights`` (n_rows, n_keys); ``local`` (n_keys + 1,) are the tokens of the context as indices
    into ``ids``. Row i is the token at high[i] and uses the keys low[i] <= j < high[i], each of
    which votes for the token after it; without a key, the row's own token is the prediction.
    ``targets`` (n_rows,) index into ``ids``, -1: not among them. Ties are relative, because sums of
    floats depend on their order.
    """
    sums = np.zeros(len(ids), np.float64)
    for i in range(len(weights)):
        sums[:] = 0
        total = 0.0
        for j in range(low[i], high[i]):
            w = np.float64(weights[i, j])
            sums[local[j + 1]] += w
            total += w
        if low[i] >= high[i]:
            sums[local[high[i]]] = total = 1.0
        limit = sums.max() * (1 - TIE)
        mine = sums[targets[i]] if targets[i] >= 0 else 0.0
        best = np.int64(2**62)
        more, same = 0, 0
        for k in range(len(ids)):
            if sums[k] >= limit:
                best = min(best, ids[k])
            if sums[k] > mine * (1 + TIE):
                more += 1
            elif sums[k] >= mine * (1 - TIE):
                same += 1
        top[i], p_next[i], greater[i] = best, mine / total, more
        equal[i] = same if mine > 0 else 0


@njit(cache=True)
def soft_votes(weights, ids, begin, votes, value, best):
    """Sum the weights of a reader's earlier places by the word that followed each.

    Row r of ``weights`` (n_rows, n_keys) is about word begin + r of ``ids``: place j, of those
    before its own, votes for word j + 1. Adds to rows of ``votes`` (n, n_distinct); ``value`` and
    ``best`` (n,) get the largest weight, where it is above 0, and its place, the latest of equals.
    """
    for r in range(len(weights)):
        i = begin + r
        for j in range(i - 1):
            w = np.float64(weights[r, j])
            votes[i, ids[j + 1]] += w
            if w > 0 and w >= value[i]:
                value[i], best[i] = w, j
