"""Compiled: what the suffix tree (`gim._kernels.suffix_tree`) says of the end of the text.

For every position of a whole text at once, see `gim._kernels.suffix_score`.
"""

import numpy as np
from numba import njit

from gim._kernels.hash_table import lookup
from gim._kernels.rank import rank
from gim._kernels.suffix_tree import (
    ACTIVE,
    DEPTH,
    DISTINCT,
    END,
    FIRST,
    NEXT,
    NONE,
    OPEN,
    PARENT,
    POS,
    TAIL,
    push,
)


@njit(cache=True)
def active_depth(node, reg):
    return node[reg[ACTIVE], DEPTH] + reg[TAIL]


@njit(cache=True)
def top_node(text, node, keys, values, reg):
    """The node at or below the active point: every leaf under it is a match."""
    if reg[TAIL] == 0:
        return reg[ACTIVE]
    return lookup(keys, values, reg[ACTIVE], text[(reg[END] - reg[TAIL]) & (len(text) - 1)])


@njit(cache=True)
def next_node(node, v, top):
    """Successor of ``v`` in a depth-first walk below ``top`` (0 at its end)."""
    if node[v, FIRST] != NONE:
        return node[v, FIRST]
    while v != top:
        if node[v, NEXT] != NONE:
            return node[v, NEXT]
        v = node[v, PARENT]
    return NONE


@njit(cache=True)
def count_leaves(node, top):
    total = 0
    v = top
    while v != NONE:
        total += node[v, DEPTH] == OPEN
        v = next_node(node, v, top)
    return total


@njit(cache=True)
def match_ends(text, node, keys, values, reg):
    """Positions (absolute, ascending) of the tokens that followed the matches."""
    depth = active_depth(node, reg)
    top = top_node(text, node, keys, values, reg)
    out = np.empty(count_leaves(node, top), np.int64)
    i, v = 0, top
    while v != NONE:
        if node[v, DEPTH] == OPEN:
            out[i] = node[v, POS] + depth
            i += 1
        v = next_node(node, v, top)
    out.sort()
    return out


@njit(cache=True)
def followers(text, node, keys, values, tally, reg, scratch):
    """Put what followed the matches into ``scratch`` (tokens, counts); return how many differ."""
    mask = len(text) - 1
    depth = active_depth(node, reg)
    if depth == 0:
        n = reg[DISTINCT]
        scratch[:, :n] = tally[:, 1 : n + 1]
        return n
    top = top_node(text, node, keys, values, reg)
    if reg[TAIL] > 0:  # inside an edge: one continuation only
        scratch[0, 0] = text[(node[top, POS] + depth) & mask]
        scratch[1, 0] = count_leaves(node, top)
        return 1
    n, v = 0, node[top, FIRST]
    while v != NONE:
        scratch[0, n] = text[(node[v, POS] + depth) & mask]
        scratch[1, n] = count_leaves(node, v)
        n += 1
        v = node[v, NEXT]
    return n


@njit(cache=True)
def consume(text, leaf, node, keys, values, tally, reg, window, tokens, lengths):
    """Push many tokens; ``lengths[i]`` is the suffix length after token i."""
    for i in range(len(tokens)):
        push(text, leaf, node, keys, values, tally, reg, window, tokens[i])
        lengths[i] = active_depth(node, reg)


@njit(cache=True)
def consume_and_score(
    text, leaf, node, keys, values, tally, reg, window, tokens, targets, scratch, lengths, ranks
):
    """Push many tokens and `rank` each one's target among what followed its matches.

    A negative target is not scored.
    """
    for i in range(len(tokens)):
        push(text, leaf, node, keys, values, tally, reg, window, tokens[i])
        lengths[i] = active_depth(node, reg)
        if targets[i] >= 0:
            if lengths[i] == 0:
                n = reg[DISTINCT]
                rank(tally[0, 1 : n + 1], tally[1, 1 : n + 1], targets[i], ranks[i])
                continue
            n = followers(text, node, keys, values, tally, reg, scratch)
            rank(scratch[0, :n], scratch[1, :n], targets[i], ranks[i])


@njit(cache=True)
def consume_and_share(
    text, leaf, node, keys, values, tally, reg, window, tokens, scratch, lengths, shares
):
    """Put into ``shares[i]`` what followed the matches before token i, by token; then push it.

    ``shares`` (n_tokens, n_distinct) are zeros at first, and remain so where nothing was read yet;
    ``lengths[i]`` is the suffix length before token i.
    """
    for i in range(len(tokens)):
        lengths[i] = active_depth(node, reg)
        n = followers(text, node, keys, values, tally, reg, scratch)
        total = 0
        for k in range(n):
            total += scratch[1, k]
        for k in range(n):
            shares[i, scratch[0, k]] = scratch[1, k] / total
        push(text, leaf, node, keys, values, tally, reg, window, tokens[i])
