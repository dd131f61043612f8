"""Compiled kernels: a suffix tree over a sliding window, built online.

The tree is Ukkonen's (1995), with the deletions of Fiala & Greene (1989) in the form that Larsson
(1996) gave them. Its *active point* spells the longest suffix of the window that also occurs
earlier in it, which is what exact induction asks for; the leaves below it are the matches. A push
costs amortised O(1); memory is proportional to the window.

A node is a row of ``node``. An edge is never stored: with ``u`` the parent of ``v``, its label is
``text[pos(v) + depth(u) : pos(v) + depth(v)]``, so that only ``pos`` (where the node's string
occurs) has to be kept inside the window. ``text`` and ``leaf`` are rings indexed by absolute
position. Row 0 is "no node"; in the hash table, which finds the child of a node that begins with a
token, it is the owner of the unigram counts.
"""

import numpy as np
from numba import njit

from gim._kernels.hash_table import lookup, remove, store

NONE, ROOT = 0, 1
OPEN = np.int64(2**62)  # the depth of a leaf: it grows with the text

# Columns of ``node``.
POS, DEPTH, PARENT, LINK, FIRST, NEXT, PREV, CREDIT = range(8)
NODE_FIELDS = 8

# Entries of ``reg``, the registers of the tree.
ACTIVE, TAIL, BEGIN, END, FREE, DISTINCT = range(6)
REGISTERS = 6


@njit(cache=True)
def _new_node(node, reg, pos, depth):
    v = reg[FREE]
    reg[FREE] = node[v, NEXT]
    node[v, POS] = pos
    node[v, DEPTH] = depth
    node[v, LINK] = ROOT
    node[v, FIRST] = NONE
    node[v, CREDIT] = 0
    return v


@njit(cache=True)
def _free_node(node, reg, v):
    node[v, NEXT] = reg[FREE]
    reg[FREE] = v


@njit(cache=True)
def _attach(node, keys, values, u, v, token):
    head = node[u, FIRST]
    node[v, PARENT] = u
    node[v, PREV] = NONE
    node[v, NEXT] = head
    if head != NONE:
        node[head, PREV] = v
    node[u, FIRST] = v
    store(keys, values, u, token, v)


@njit(cache=True)
def _unlink(node, v):
    """Take ``v`` out of the list of its siblings."""
    before, after = node[v, PREV], node[v, NEXT]
    if before != NONE:
        node[before, NEXT] = after
    else:
        node[node[v, PARENT], FIRST] = after
    if after != NONE:
        node[after, PREV] = before


@njit(cache=True)
def _replace(node, keys, values, old, new, token):
    """Put ``new`` in the place of ``old`` among the children of old's parent."""
    u, before, after = node[old, PARENT], node[old, PREV], node[old, NEXT]
    node[new, PARENT] = u
    node[new, PREV] = before
    node[new, NEXT] = after
    if before != NONE:
        node[before, NEXT] = new
    else:
        node[u, FIRST] = new
    if after != NONE:
        node[after, PREV] = new
    store(keys, values, u, token, new)


@njit(cache=True)
def _refresh(node, v, pos):
    """Larsson's credits: every second new position is handed to the parent (amortised O(1))."""
    while v != ROOT:
        if node[v, POS] < pos:
            node[v, POS] = pos
        else:
            pos = node[v, POS]
        node[v, CREDIT] ^= 1
        if node[v, CREDIT] == 1:
            return
        v = node[v, PARENT]


@njit(cache=True)
def _canonise(text, node, keys, values, reg, end):
    """Walk the active point down to the deepest explicit node that its string passes."""
    mask = len(text) - 1
    a, tail = reg[ACTIVE], reg[TAIL]
    while tail > 0:
        v = lookup(keys, values, a, text[(end - tail) & mask])
        length = node[v, DEPTH] - node[a, DEPTH]
        if tail < length:
            break
        a = v
        tail -= length
    reg[ACTIVE], reg[TAIL] = a, tail


@njit(cache=True)
def _shorten(text, node, keys, values, reg, end):
    """Move the active point to the suffix that is one token shorter; False at the empty one."""
    if reg[ACTIVE] == ROOT:
        if reg[TAIL] == 0:
            return False
        reg[TAIL] -= 1
    else:
        reg[ACTIVE] = node[reg[ACTIVE], LINK]
    _canonise(text, node, keys, values, reg, end)
    return True


@njit(cache=True)
def _drop_oldest(text, leaf, node, keys, values, reg):
    """Remove the window's longest suffix, that is its first token."""
    mask = len(text) - 1
    begin, end = reg[BEGIN], reg[END]
    v = leaf[begin & mask]
    u = node[v, PARENT]
    a, tail = reg[ACTIVE], reg[TAIL]
    if a == u and tail > 0 and lookup(keys, values, a, text[(end - tail) & mask]) == v:
        # The active suffix is only spelt by this leaf: the leaf becomes that suffix.
        pos = end - node[a, DEPTH] - tail
        node[v, POS] = pos
        leaf[pos & mask] = v
        _refresh(node, u, pos)
        _shorten(text, node, keys, values, reg, end)
    else:
        _unlink(node, v)
        remove(keys, values, u, text[(begin + node[u, DEPTH]) & mask])
        _free_node(node, reg, v)
        w = node[u, FIRST]
        if u != ROOT and node[w, NEXT] == NONE:
            _splice_out(text, node, keys, values, reg, u, w)
    reg[BEGIN] = begin + 1


@njit(cache=True)
def _splice_out(text, node, keys, values, reg, u, w):
    """Remove the internal node ``u`` whose only child is ``w``."""
    mask = len(text) - 1
    g = node[u, PARENT]
    first = text[(node[u, POS] + node[g, DEPTH]) & mask]
    if reg[ACTIVE] == u:
        reg[ACTIVE] = g
        reg[TAIL] += node[u, DEPTH] - node[g, DEPTH]
    remove(keys, values, u, text[(node[w, POS] + node[u, DEPTH]) & mask])
    _replace(node, keys, values, u, w, first)
    if node[u, CREDIT] == 1:
        _refresh(node, g, node[u, POS])
    _free_node(node, reg, u)


@njit(cache=True)
def _count(keys, values, reg, tally, token, change):
    """Keep the unigram counts: ``tally`` holds tokens in row 0 and their counts in row 1."""
    row = lookup(keys, values, NONE, token)
    if row == 0:
        reg[DISTINCT] += 1
        row = reg[DISTINCT]
        tally[0, row] = token
        tally[1, row] = 0
        store(keys, values, NONE, token, row)
    tally[1, row] += change
    if tally[1, row] == 0:
        last = reg[DISTINCT]
        remove(keys, values, NONE, token)
        if row != last:
            tally[0, row] = tally[0, last]
            tally[1, row] = tally[1, last]
            store(keys, values, NONE, tally[0, row], row)
        reg[DISTINCT] -= 1


@njit(cache=True)
def push(text, leaf, node, keys, values, tally, reg, window, token):
    """Append one token, dropping the oldest when the window is full (window 0: none is dropped)."""
    mask = len(text) - 1
    if window > 0 and reg[END] - reg[BEGIN] == window:
        _count(keys, values, reg, tally, text[reg[BEGIN] & mask], -1)
        _drop_oldest(text, leaf, node, keys, values, reg)
    t = reg[END]
    text[t & mask] = token
    _count(keys, values, reg, tally, token, 1)
    pending = NONE  # the internal node made last, whose suffix link is still to be set
    while True:
        a, tail = reg[ACTIVE], reg[TAIL]
        if tail == 0:
            v, found, u = NONE, lookup(keys, values, a, token) != NONE, a
        else:
            v = lookup(keys, values, a, text[(t - tail) & mask])
            found = text[(node[v, POS] + node[a, DEPTH] + tail) & mask] == token
            u = NONE
        if found:
            if pending != NONE:
                node[pending, LINK] = a
            reg[TAIL] = tail + 1
            _canonise(text, node, keys, values, reg, t + 1)
            break
        start = t - node[a, DEPTH] - tail
        if u == NONE:
            u = _new_node(node, reg, start, node[a, DEPTH] + tail)
            _replace(node, keys, values, v, u, text[(t - tail) & mask])
            _attach(node, keys, values, u, v, text[(node[v, POS] + node[u, DEPTH]) & mask])
        if pending != NONE:
            node[pending, LINK] = u
        pending = u if tail > 0 else NONE
        new = _new_node(node, reg, start, OPEN)
        leaf[start & mask] = new
        _attach(node, keys, values, u, new, token)
        _refresh(node, u, start)
        if not _shorten(text, node, keys, values, reg, t):
            break
    reg[END] = t + 1
