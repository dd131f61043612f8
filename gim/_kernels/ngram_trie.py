"""Compiled: a trie of n-grams with Kneser-Ney counts, read off a suffix array.

All orders share three arrays. Order 1 comes first, then order 2, and so on; within an order the
n-grams lie as the suffix array has them, so that those with one context are neighbours. ``tokens``
holds the last token of each, ``counts`` its adjusted count, ``children`` (all orders but the
highest, and one more) the place of the first longer n-gram that begins with it: those of node k are
``children[k]`` to ``children[k + 1] - 1``, also where an order ends.

An n-gram lies within a document; the separator before a document is its first token, as <s> is
in other tools. Counts are *adjusted* (Kneser and Ney 1995): the number of different tokens to the
left, but occurrences for the highest order and for n-grams that begin a document.
"""

import numpy as np
from numba import njit

from gim._kernels.suffix_array import _key, entry


@njit(cache=True)
def _depth(text, position, order, separator):
    """Tokens from ``position`` on in its document, at most ``order``."""
    n = 1
    while n < order and position + n < len(text) and text[position + n] != separator:
        n += 1
    return n


@njit(cache=True)
def _shared(text, p, q, limit):
    n = 0
    while n < limit and text[p + n] == text[q + n]:
        n += 1
    return n


@njit(cache=True)
def measure(text, table, width, order, separator, sizes):
    """Add the number of different n-grams of each order to ``sizes``."""
    q, q_depth = np.int64(0), 0
    for i in range(len(text)):
        p = entry(text, table, width, i)
        depth = _depth(text, p, order, separator)
        for n in range(_shared(text, p, q, min(depth, q_depth)), depth):
            sizes[n] += 1
        q, q_depth = p, depth


@njit(cache=True)
def fill(text, table, width, order, separator, size, starts, tokens, counts, children):
    """Write the trie; ``starts`` are where the orders begin, and the end; ``size`` all tokens."""
    node = starts[:order] - 1
    # The n-gram for which a token to the left was last counted, by order.
    seen = np.full((order, size + 1), -1, np.int64)
    q, q_depth = np.int64(0), 0
    for i in range(len(text)):
        p = entry(text, table, width, i)
        depth = _depth(text, p, order, separator)
        for n in range(_shared(text, p, q, min(depth, q_depth)), depth):
            node[n] += 1
            tokens[node[n]] = text[p + n]
            if n + 1 < order:
                children[node[n]] = node[n + 1] + 1
        whole = text[p] == separator
        left = min(np.int64(text[p - 1]), size) if p > 0 else size  # separators are the greatest
        for n in range(depth):
            if n + 1 == order or whole:
                counts[node[n]] += 1
            elif seen[n, left] != node[n]:
                seen[n, left] = node[n]
                counts[node[n]] += 1
        q, q_depth = p, depth
    children[starts[order - 1]] = starts[order]
    counts[starts[1] - 1] = 0  # the separator is never predicted


@njit(cache=True)
def verify(tokens, counts, children, starts, vocab_size, separator):
    """The first n-gram that no corpus can have, or -1: those of one context must ascend."""
    order, parent = len(starts) - 1, np.int64(-1)
    for n in range(order):
        if n + 1 < order and np.int64(children[starts[n]]) != starts[n + 1]:
            return starts[n]
    if np.int64(children[starts[order - 1]]) != starts[order]:
        return starts[order - 1]
    for k in range(starts[order - 1]):
        if children[k] > children[k + 1]:
            return k
    for k in range(starts[order]):
        begins = k == 0
        while k >= starts[1] and parent + 1 < starts[order - 1] and children[parent + 1] <= k:
            parent, begins = parent + 1, True
        if not begins and _key(tokens, tokens[k]) <= _key(tokens, tokens[k - 1]):
            return k
        edge = k == starts[1] - 1 and tokens[k] == separator
        if not edge and (tokens[k] >= vocab_size or counts[k] < 1):
            return k
    return np.int64(-1)


@njit(cache=True)
def child(tokens, children, node, token):
    """The n-gram of ``node`` with ``token`` after it, or -1."""
    lo, hi = np.int64(children[node]), np.int64(children[node + 1])
    end, key = hi, _key(tokens, token)
    while lo < hi:
        middle = (lo + hi) // 2
        if _key(tokens, tokens[middle]) < key:
            lo = middle + 1
        else:
            hi = middle
    return lo if lo < end and tokens[lo] == token else np.int64(-1)


@njit(cache=True)
def find_contexts(tokens, children, root, context, nodes):
    """``nodes[m]`` is the n-gram of the last m + 1 tokens of ``context``, or -1."""
    nodes[:] = -1
    for m in range(min(len(nodes), len(context))):
        node = root[context[len(context) - m - 1]]
        for j in range(len(context) - m, len(context)):
            if node < 0:
                break
            node = child(tokens, children, node, context[j])
        if node < 0:
            return
        nodes[m] = node


@njit(cache=True)
def spread(tokens, counts, children, discounts, unigram, nodes, out, totals, left):
    """Interpolated modified Kneser-Ney (Chen and Goodman 1998, eq. 21) over the vocabulary.

    ``discounts`` (order, 4) by order and count; ``unigram`` the distribution of the lowest order.
    Fills ``out``; ``totals[m]`` is the sum of counts after a context of m + 1 tokens, ``left[m]``
    the weight that this order leaves to the lower ones.
    """
    rest = 1.0
    for m in range(len(nodes) - 1, -1, -1):
        totals[m], left[m] = 0.0, 1.0
        if nodes[m] < 0:
            continue
        d1, d2, d3 = discounts[m + 1, 1], discounts[m + 1, 2], discounts[m + 1, 3]
        total, once, twice = np.int64(0), np.int64(0), np.int64(0)
        begin, end = np.int64(children[nodes[m]]), np.int64(children[nodes[m] + 1])
        for k in range(begin, end):  # whole numbers: it compiles to vector instructions
            total += counts[k]
            once += counts[k] == 1
            twice += counts[k] == 2
        if total > 0:
            taken = d1 * once + d2 * twice + d3 * (end - begin - once - twice)
            totals[m], left[m] = total, taken / total
            rest *= left[m]
    for token in range(len(out)):
        out[token] = rest * unigram[token]
    rest = 1.0
    for m in range(len(nodes) - 1, -1, -1):
        if totals[m] == 0:
            continue
        scale = rest / totals[m]
        d1, d2, d3 = discounts[m + 1, 1], discounts[m + 1, 2], discounts[m + 1, 3]
        for k in range(np.int64(children[nodes[m]]), np.int64(children[nodes[m] + 1])):
            c = counts[k]
            out[tokens[k]] += scale * (c - (d1 if c == 1 else (d2 if c == 2 else d3)))
        rest *= left[m]


@njit(cache=True)
def share(tokens, counts, children, discounts, nodes, lengths, found, shares):
    """What followed contexts, one after the other: tokens, and shares of them less discounts.

    ``nodes`` are contexts of ``lengths`` tokens; ``found`` and ``shares`` have room for all.
    """
    end = np.int64(0)
    for i in range(len(nodes)):
        begin, size = np.int64(children[nodes[i]]), np.int64(children[nodes[i] + 1])
        size -= begin
        total = np.int64(0)
        for k in range(begin, begin + size):
            total += counts[k]
        for k in range(size):
            c = np.int64(counts[begin + k])
            found[end + k] = tokens[begin + k]
            shares[end + k] = (c - discounts[lengths[i], min(c, 3)]) / total
        end += size
