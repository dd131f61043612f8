"""Compiled: what a text copies next, read off its suffix tree without changing it.

The places that followed the longest match go on side by side: at every step the token of most of
them is drafted, and those that have another one fall away. A place beyond the text's end reads what
was drafted. How often such a copy was right is counted by `class_of`, over every token that came.
"""

import numpy as np
from numba import njit

from gim._kernels.suffix_query import active_depth, next_node, top_node
from gim._kernels.suffix_tree import DEPTH, END, NONE, OPEN, POS, push

PLACES = 64  # matches that are followed, of more
BEGINS = np.array([1, 2, 3, 4, 6, 9, 16, 32])  # lengths of a match from which a class begins
VOTES = 4  # classes of agreement among the places, see `class_of`
CLASSES = VOTES * len(BEGINS)


@njit(cache=True)
def class_of(length, votes, total):
    """Class of a copy: by the length of the match; below it, half, and all of 1 or more places."""
    unanimous = votes == total
    agreement = 2 * unanimous + (total > 1 if unanimous else 2 * votes >= total)
    return VOTES * (np.searchsorted(BEGINS, length, side="right") - 1) + agreement


@njit(cache=True)
def _places(text, node, keys, values, reg, out):
    """Positions of (at most len(out)) tokens that followed the longest match."""
    depth = active_depth(node, reg)
    n = 0
    if depth == 0:
        return n
    top = top_node(text, node, keys, values, reg)
    v = top
    while v != NONE and n < len(out):
        if node[v, DEPTH] == OPEN:
            out[n] = node[v, POS] + depth
            n += 1
        v = next_node(node, v, top)
    return n


@njit(cache=True)
def _token(text, end, drafted, place):
    return text[place & (len(text) - 1)] if place < end else drafted[place - end]


@njit(cache=True)
def elect(text, end, drafted, places, n, tally):
    """(token of most of n places, its votes); of equals the one with the latest place.

    The winner's places move to the front of ``places``, one token on. ``tally``: scratch of shape
    (3, PLACES).
    """
    kinds, best = 0, 0
    for i in range(n):
        token = _token(text, end, drafted, places[i])
        k = 0
        while k < kinds and tally[0, k] != token:
            k += 1
        if k == kinds:
            tally[0, k], tally[1, k], tally[2, k] = token, 0, 0
            kinds += 1
        tally[1, k] += 1
        tally[2, k] = max(tally[2, k], places[i])
    for k in range(1, kinds):
        more = tally[1, k] - tally[1, best]
        if more > 0 or (more == 0 and tally[2, k] > tally[2, best]):
            best = k
    winner, kept = tally[0, best], 0
    for i in range(n):
        if _token(text, end, drafted, places[i]) == winner:
            places[kept] = places[i] + 1
            kept += 1
    return winner, kept


@njit(cache=True)
def propose(
    text, leaf, node, keys, values, tally, reg, tries, hits, least, tokens, chances
):  # fmt: skip
    """Draft until the chance that all is right falls below ``least``; return how many tokens."""
    places, scratch = np.empty(PLACES, np.int64), np.empty((3, PLACES), np.int64)
    n = _places(text, node, keys, values, reg, places)
    depth, path = active_depth(node, reg), 1.0
    if n == 0:
        return 0
    for i in range(len(tokens)):
        before = n
        tokens[i], n = elect(text, reg[END], tokens, places, n, scratch)
        k = class_of(depth + i, n, before)
        chances[i] = hits[k] / tries[k]
        path *= chances[i]
        if path < least:
            return i
    return len(tokens)


@njit(cache=True)
def follow(text, leaf, node, keys, values, tally, reg, window, tokens, tries, hits, fade):
    """Push tokens; count for each whether the copy drafted in its place was right.

    What a class saw earlier counts ``fade`` times as much at each new case of it.
    """
    places, scratch = np.empty(PLACES, np.int64), np.empty((3, PLACES), np.int64)
    for token in tokens:
        n = _places(text, node, keys, values, reg, places)
        if n > 0:
            drafted, votes = elect(text, reg[END], tokens, places, n, scratch)
            k = class_of(active_depth(node, reg), votes, n)
            tries[k] = fade * tries[k] + 1
            hits[k] = fade * hits[k] + (drafted == token)
        push(text, leaf, node, keys, values, tally, reg, window, token)
