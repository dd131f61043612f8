"""Compiled: targets ranked after every token of a whole text, in time that hardly outgrows it.

Ranking position after position reads off, each time, everything that followed the matches: the
more often a word recurs, the longer. Here the positions whose match is the same string are taken
together, in their order, so that each occurrence of a string is counted once. In the finished
suffix tree the occurrences are the leaves below one node; those that came before a position are
found by a tree of minima over the leaves.
"""

import numpy as np
from numba import njit

from gim._kernels.rank import NO_TOKEN
from gim._kernels.suffix_tree import DEPTH, FIRST, NEXT, NONE, OPEN, PARENT, POS, ROOT


@njit(cache=True)
def locate(node, starts, lengths, leaves, ranges):
    """Walk the tree; find the node of ``text[starts[q] : starts[q] + lengths[q]]`` for each q.

    Returns the nodes. ``leaves`` gets the starts of all suffixes, in the order of the walk,
    ``ranges`` for each node the part of them that lies below it.
    """
    n = len(leaves)
    first, following = np.full(n, -1, np.int64), np.empty(len(starts), np.int64)
    for q in range(len(starts)):
        following[q] = first[starts[q]]
        first[starts[q]] = q
    nodes = np.empty(len(starts), np.int64)
    path = np.empty(n + 1, np.int64)
    top, count, v = 0, 0, ROOT
    while v != NONE:
        path[top] = v
        ranges[v, 0] = count
        if node[v, DEPTH] == OPEN:
            leaves[count] = node[v, POS]
            q = first[node[v, POS]]
            while q >= 0:
                nodes[q] = _at_depth(node, path, top, lengths[q])
                q = following[q]
            count += 1
        if node[v, FIRST] != NONE:
            v = node[v, FIRST]
            top += 1
            continue
        while v != ROOT and node[v, NEXT] == NONE:
            ranges[v, 1] = count
            v = node[v, PARENT]
            top -= 1
        ranges[v, 1] = count
        v = NONE if v == ROOT else node[v, NEXT]
    return nodes


@njit(cache=True)
def _at_depth(node, path, top, depth):
    """The first node of a path from the root that is not above ``depth``."""
    lo, hi = 0, top
    while lo < hi:
        middle = (lo + hi) // 2
        if node[path[middle], DEPTH] < depth:
            lo = middle + 1
        else:
            hi = middle
    return path[lo]


@njit(cache=True)
def minima(values):
    """A tree of minima: entry i is the lesser of 2 i and 2 i + 1, the second half the values."""
    size = 1
    while size < len(values):
        size *= 2
    found = np.full(2 * size, NO_TOKEN, np.int64)
    found[size : size + len(values)] = values
    for i in range(size - 1, 0, -1):
        found[i] = min(found[2 * i], found[2 * i + 1])
    return found


@njit(cache=True)
def _next_at_most(least, i, bound):
    """The first place from ``i`` on whose value is at most ``bound`` (the size: none)."""
    size = len(least) // 2
    place = i + size
    while least[place] > bound:
        while place & 1:
            place >>= 1
        if place == 0:
            return size
        place += 1
    while place < size:
        place *= 2
        if least[place] > bound:
            place += 1
    return place - size


@njit(cache=True)
def rank_in_order(least, ranges, nodes, lengths, times, goals, codes, tokens, out):
    """`rank` the goal at each of the ``times``, which are ordered by node, length and time.

    ``codes`` are the tokens of the text, numbered in their order; ``tokens`` what the numbers stand
    for. A goal of -1 does not occur in the text.
    """
    counts = np.zeros(len(tokens), np.int64)
    more = np.zeros(len(codes) + 1, np.int64)  # for each count, how many tokens have more
    found = np.empty(len(codes) + 1, np.int64)
    begin = 0
    while begin < len(times):
        v, length = nodes[begin], lengths[begin]
        end = begin + 1
        while end < len(times) and nodes[end] == v and lengths[end] == length:
            end += 1
        n, i = 0, _next_at_most(least, ranges[v, 0], times[end - 1] - length)
        while i < ranges[v, 1]:
            found[n] = least[len(least) // 2 + i] + length  # where the token that followed stands
            n += 1
            if i + 1 == ranges[v, 1]:
                break
            i = _next_at_most(least, i + 1, times[end - 1] - length)
        found[:n].sort()
        total, best, mode = 0, 0, NO_TOKEN
        for q in range(begin, end):
            while total < n and found[total] <= times[q]:
                code = codes[found[total]]
                counts[code] += 1
                more[counts[code] - 1] += 1
                if counts[code] > best:
                    best, mode = counts[code], code
                elif counts[code] == best:
                    mode = min(mode, code)
                total += 1
            mine = counts[goals[q]] if goals[q] >= 0 else 0
            out[q, 0], out[q, 1], out[q, 2] = tokens[mode], mine, total
            out[q, 3] = more[mine]
            out[q, 4] = more[mine - 1] - more[mine] if mine else 0
        for j in range(total):
            counts[codes[found[j]]] = 0
        more[: best + 1] = 0
        begin = end
