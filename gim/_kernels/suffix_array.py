"""Compiled kernels over an index of the package ``infini-gram`` (format v4).

``text`` is the memory-mapped token file (uint16 or uint32), ``table`` the memory-mapped suffix
array: one byte offset of ``width`` little-endian bytes for every token. Suffixes are sorted by raw
bytes, so that tokens compare by their byte-swapped value. The separator (all ones) is the greatest
token of all in that order as well.
"""

import numpy as np
from numba import njit

AT_ONCE = 4096  # entries of a table that are verified one step after the other


@njit(cache=True)
def _stored(text, table, width, i):
    """Token position of the i-th suffix, as it stands in the table."""
    value = np.int64(0)
    for j in range(width):
        value |= np.int64(table[i * width + j]) << (8 * j)
    return value // text.itemsize


@njit(cache=True)
def entry(text, table, width, i):
    """Token position of the i-th suffix; never outside the text, whatever the table holds."""
    return min(max(_stored(text, table, width, i), 0), len(text) - 1)


@njit(cache=True)
def _separator(text):
    return np.int64(2) ** (8 * text.itemsize) - 1


@njit(cache=True)
def _token(text, position):
    """The token at a position; beyond the end, where no sorted table leads, the separator."""
    return np.int64(text[position]) if position < len(text) else _separator(text)


@njit(cache=True)
def _key(text, value):
    """The value by which a token sorts."""
    v = np.int64(value)
    if text.itemsize == 2:
        return ((v & 0xFF) << 8) | (v >> 8)
    return ((v & 0xFF) << 24) | ((v & 0xFF00) << 8) | ((v >> 8) & 0xFF00) | (v >> 24)


@njit(cache=True)
def _compare(text, position, query):
    """Sign of (suffix - query); 0 when the suffix starts with the query."""
    for j in range(len(query)):
        if position + j >= len(text):
            return -1
        token = np.int64(text[position + j])
        if token != query[j]:
            return -1 if _key(text, token) < _key(text, query[j]) else 1
    return 0


@njit(cache=True)
def _bound(text, table, width, query, lo, hi, beyond):
    """First suffix in [lo, hi) that is not below ``query`` (``beyond``: that is above it)."""
    while lo < hi:
        middle = (lo + hi) // 2
        sign = _compare(text, entry(text, table, width, middle), query)
        if sign < 0 or (beyond and sign == 0):
            lo = middle + 1
        else:
            hi = middle
    return lo


@njit(cache=True)
def _begins(text, table, width, firsts, token):
    """The range of suffixes that begin with a token, looked up once: ``firsts`` (n_tokens, 2)."""
    if firsts[token, 0] < 0:
        query, n = np.full(1, token, np.int64), len(text)
        lo = _bound(text, table, width, query, 0, n, False)
        firsts[token, 0], firsts[token, 1] = lo, _bound(text, table, width, query, lo, n, True)
    return firsts[token, 0], firsts[token, 1]


@njit(cache=True)
def _continued(text, table, width, length, lo, hi):
    """The part of a range of suffixes that go on with a token of the document.

    Within the range of a query, a suffix that ends with the file sorts first and those that a
    separator follows sort last: both are cut off.
    """
    if lo < hi and entry(text, table, width, lo) + length >= len(text):
        lo += 1
    separator = _separator(text)
    if lo >= hi or _token(text, entry(text, table, width, hi - 1) + length) != separator:
        return lo, hi
    first, top = lo, hi - 1
    while first < top:
        middle = (first + top) // 2
        if _token(text, entry(text, table, width, middle) + length) == separator:
            top = middle
        else:
            first = middle + 1
    return lo, first


@njit(cache=True)
def find(text, table, width, firsts, query):
    """The range of suffixes that start with ``query`` and go on with a token of the document.

    ``firsts`` remembers, for all queries of an index, where each first token begins; -1 at first.
    """
    lo, top = _begins(text, table, width, firsts, query[0])
    lo = _bound(text, table, width, query, lo, top, False)
    step = 1  # most ranges are small: their ends are near
    while lo + step < top and _compare(text, entry(text, table, width, lo + step), query) == 0:
        step *= 2
    hi = _bound(text, table, width, query, lo, min(lo + step, top), True)
    return _continued(text, table, width, len(query), lo, hi)


@njit(cache=True)
def _extended(text, table, width, length, lo, hi, token):
    """Of the suffixes [lo, hi) of that ``length``, those that go on with ``token``; see `find`."""
    key, end = _key(text, token), hi
    while lo < hi:
        middle = (lo + hi) // 2
        if _key(text, _token(text, entry(text, table, width, middle) + length)) < key:
            lo = middle + 1
        else:
            hi = middle
    if lo == end or _token(text, entry(text, table, width, lo) + length) != token:
        return lo, lo
    hi = _run_end(text, table, width, length, lo, end)
    return _continued(text, table, width, length + 1, lo, hi)


@njit(cache=True)
def longest(text, table, width, firsts, ids, begin, end, start):
    """(length, lo, hi) of the longest suffix of ids[begin:end], at most ``start`` long."""
    length = min(start, end - begin)
    while length > 0:
        lo, hi = find(text, table, width, firsts, ids[end - length : end])
        if hi > lo:
            return length, lo, hi
        length -= 1
    return 0, 0, 0


@njit(cache=True)
def longest_all(text, table, width, firsts, ids, window, out):
    """`longest` after every token; ``out`` rows are (length, lo, hi).

    A suffix that can be extended by one token could be found before, so that the length grows by
    at most one a step: first the range of the last step is searched for the token that came, then
    shorter suffixes are looked up. As none that failed is tried again, the total work is linear.
    """
    length, lo, hi = 0, 0, 0
    for t in range(len(ids)):
        most = t + 1 if window <= 0 else min(t + 1, window)
        if 0 < length < most:
            lo, hi = _extended(text, table, width, length, lo, hi, ids[t])
            length += 1
            if hi <= lo:
                length, lo, hi = longest(text, table, width, firsts, ids, 0, t + 1, length - 1)
        else:
            length, lo, hi = longest(
                text, table, width, firsts, ids, 0, t + 1, min(length + 1, most)
            )
        out[t, 0], out[t, 1], out[t, 2] = length, lo, hi


@njit(cache=True)
def _run_end(text, table, width, length, i, hi):
    """End of the run of suffixes with the same token at ``length``: galloping, then bisection."""
    token = _token(text, entry(text, table, width, i) + length)
    step = 1
    while i + step < hi and _token(text, entry(text, table, width, i + step) + length) == token:
        step *= 2
    lo, top = i + step // 2, min(i + step, hi)
    while lo < top:
        middle = (lo + top) // 2
        if _token(text, entry(text, table, width, middle) + length) == token:
            lo = middle + 1
        else:
            top = middle
    return lo


@njit(cache=True)
def followers(text, table, width, length, lo, hi):
    """Tokens that follow the suffixes [lo, hi) of that ``length``, and their exact counts."""
    size, n, i = 8, 0, lo
    tokens, counts = np.empty(size, np.int64), np.empty(size, np.int64)
    while i < hi:
        if n == size:
            size *= 4
            grown = np.empty((2, size), np.int64)
            grown[0, :n], grown[1, :n] = tokens, counts
            tokens, counts = grown[0], grown[1]
        end = _run_end(text, table, width, length, i, hi)
        tokens[n] = _token(text, entry(text, table, width, i) + length)
        counts[n] = end - i
        n += tokens[n] != _separator(text)
        i = end
    return tokens[:n], counts[:n]


@njit(cache=True)
def _disordered(text, p, q, depth):
    """Whether suffix ``p`` should stand before ``q``, compared to a depth of so many tokens."""
    for j in range(depth):
        if q + j >= len(text):
            return False
        if p + j >= len(text):
            return True
        if text[q + j] != text[p + j]:
            return _key(text, text[q + j]) > _key(text, text[p + j])
    return False


@njit(cache=True)
def _leads(text, positions, n, leads):
    """The first 8 bytes of suffixes as numbers that sort as these do; 0 of those that are shorter.

    Of many suffixes one after the other: a processor fetches several at once.
    """
    tokens, bits = 8 // text.itemsize, 8 * text.itemsize
    for i in range(n):
        lead = np.uint64(0)
        if positions[i] + tokens <= len(text):
            for j in range(tokens):
                key = np.uint64(_key(text, text[positions[i] + j]))
                lead = (lead << np.uint64(bits)) | key
        leads[i] = lead


@njit(cache=True)
def verify(text, table, width, begin, end, seen, depth):
    """Check entries [begin, end): each position once, neighbours in order.

    Returns the first bad entry, or -1. ``seen`` is a bit for every token, kept between calls.
    Neighbours are compared to a depth of ``depth`` tokens.
    """
    positions, leads = np.empty(AT_ONCE + 1, np.int64), np.empty(AT_ONCE + 1, np.uint64)
    for first in range(begin, end, AT_ONCE):
        n = min(AT_ONCE, end - first)
        positions[0] = entry(text, table, width, max(first - 1, 0))
        for i in range(n):
            p = _stored(text, table, width, first + i)
            if p < 0 or p >= len(text) or (seen[p >> 3] >> (p & 7)) & 1:
                return first + i
            seen[p >> 3] |= np.uint8(1 << (p & 7))
            positions[i + 1] = p
        _leads(text, positions, n + 1, leads)
        for i in range(1 if first == 0 else 0, n):
            if 0 < leads[i] < leads[i + 1]:
                continue
            if _disordered(text, positions[i + 1], positions[i], depth):
                return first + i
    return -1
