"""Compiled ranking of a target within sparse counts; see `gim.scores` for the convention."""

import numpy as np
from numba import njit

NO_TOKEN = np.int64(2**62)


@njit(cache=True)
def rank(tokens, counts, target, out):
    """``out`` = (mode, count of the target, total, tokens with more, tokens with as many)."""
    # Separate plain loops: each of them compiles to vector instructions.
    best, total = np.int64(0), np.int64(0)
    for j in range(len(counts)):
        best = max(best, counts[j])
        total += counts[j]
    mode, mine = NO_TOKEN, np.int64(0)
    for j in range(len(counts)):
        mode = min(mode, tokens[j] if counts[j] == best else NO_TOKEN)
        mine += counts[j] if tokens[j] == target else 0
    more, same = 0, 0
    for j in range(len(counts)):
        more += counts[j] > mine
        same += counts[j] == mine
    out[0], out[1], out[2], out[3], out[4] = mode, mine, total, more, same


@njit(cache=True)
def rank_all(tokens, counts, targets, out):
    """`rank` for several targets of one distribution; ``out`` has a row for each."""
    for i in range(len(targets)):
        rank(tokens, counts, targets[i], out[i])
