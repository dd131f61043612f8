"""Compiled: what speaks for the next token, and how it is weighed.

`observe` sees one place of a text without any parameter; `appeal` weighs the votes of the context,
`gate` the sources, `mix` puts them together. The batch and the stream of `gim.weighing.model` call
the same functions, so that they agree.

A *vote* is an earlier place j of the context: it votes for the token that followed it. Its features
are the class of the match that ends there (``CLASSES``) and ``FEATURES`` numbers, whose meanings
stand in `gim.weighing.weights`.
"""

import numpy as np
from numba import njit

LONGEST = 32  # a longer match counts as one of this length
LAST = 4  # tokens of which it counts which agree
# Classes of a place: first by which of its last tokens agree with the last of the context (a bit
# for each, 1 the last one); where all do, by the length of the match, from ... on.
BEGINS = np.array([4, 5, 7, 10, 16])
ALL = 2**LAST - 1
CLASS_OF = ALL + np.searchsorted(BEGINS, np.arange(LONGEST + 1), side="right") - 1
CLASSES = ALL + len(BEGINS)
FEATURES = 5
TIE = 1e-9  # relative difference below which two probabilities are equal


@njit(cache=True)
def advance_all(ids, begin, end, window, runs, agree):
    """Bring ``runs`` and ``agree`` from before token ``begin`` to before token ``end``.

    After each token, ``runs[j]`` is the length of the match of the tokens up to place j with the
    last ones, and ``agree[j]`` says which of its last tokens agree with them.
    """
    for t in range(begin, end):
        low = max(0, t + 1 - window)
        for j in range(t - 1, low - 1, -1):
            same = ids[j] == ids[t]
            before = j > low
            runs[j] = min((runs[j - 1] if before else 0) + 1, LONGEST) if same else 0
            agree[j] = (((agree[j - 1] << 1) if before else 0) | np.int64(same)) & ALL
        runs[t] = agree[t] = 0


@njit(cache=True)
def observe(ids, low, n, runs, agree, cosines, p, log_unigram, log_lag, classes, votes):
    """Features of the votes of n places from ``low``, in rows from 0; return the longest match.

    ``p`` and ``log_unigram`` are of the corpus, empty without one; ``cosines`` without an encoder;
    ``log_lag`` has the logarithm of each lag.
    """
    longest = np.int64(0)
    for i in range(n):
        j = low + i
        token = ids[j + 1]
        run = min(runs[j], i + 1)
        longest = max(longest, run)
        classes[i] = CLASS_OF[run] if run >= LAST else agree[j] & ((1 << (i + 1)) - 1)
        cosine = np.float64(cosines[i]) if len(cosines) else 0.0
        votes[i, 0] = cosine
        votes[i, 1] = cosine * cosine
        votes[i, 2] = log_lag[n - i]
        votes[i, 3] = np.log(p[token]) if len(p) else 0.0
        votes[i, 4] = log_unigram[token] if len(log_unigram) else 0.0
    return longest


@njit(cache=True)
def know(counts, left, best, length, followers, longest, cosine, n, known, present):
    """Fill in what the gate knows before votes are weighed, and which sources are there.

    ``counts`` and ``left`` are by length of context, over all indexes; ``best`` is the probability
    of the n-grams' most probable token, 0 without a corpus; ``followers`` say how often each token
    followed the longest suffix of the corpus, of ``length`` tokens. What becomes of them stands in
    `gim.weighing.weights.GATE`.
    """
    known[:] = 0
    known[0] = 1
    if best > 0:
        for m in range(len(counts)):
            known[1 + m] = np.log1p(counts[m])
            known[1 + len(counts) + m] = np.log(left[m]) if left[m] > 0 else 0.0
        known[1 + 2 * len(counts)] = np.log(best)
    total, most = np.int64(0), np.int64(0)
    for k in range(len(followers)):
        total += followers[k]
        most = max(most, followers[k])
    at = 2 + 2 * len(counts)
    known[at], known[at + 1] = np.log1p(length), np.log1p(total)
    known[at + 2] = most / total if total else 0.0
    known[at + 3], known[at + 4], known[at + 5] = np.log1p(longest), cosine, np.log1p(n)
    present[:] = n > 0
    present[0], present[1], present[len(present) - 1] = best > 0, total > 0, True


@njit(cache=True)
def _add(out, factor, values):
    for i in range(len(out)):
        out[i] += factor * values[i]


@njit(cache=True)
def appeal(n, classes, votes, table, slopes, unit_table, unit_slopes, unit_votes, out):
    """How much each of n votes appeals to each head, (n_heads, n): what its softmax is of.

    Tables are by class, slopes by feature, ``unit_votes`` by hidden unit: the heads, or the units,
    come second.
    """
    features = votes.shape[1]
    # Places innermost, one plain loop after the other: each compiles to vector instructions.
    seen, unit = np.empty((features, n)), np.empty(n)
    for f in range(features):
        for i in range(n):
            seen[f, i] = votes[i, f]
    for h in range(len(out)):
        for i in range(n):
            out[h, i] = table[classes[i], h]
        for f in range(features):
            _add(out[h], slopes[f, h], seen[f])
    for u in range(unit_table.shape[1]):
        for i in range(n):
            unit[i] = unit_table[classes[i], u]
        for f in range(features):
            _add(unit, unit_slopes[f, u], seen[f])
        for i in range(n):
            unit[i] = max(unit[i], 0.0)
        for h in range(len(out)):
            _add(out[h], unit_votes[u, h], unit)


@njit(cache=True)
def gate(matrix, features, present, weights):
    """Softmax over the sources that are present."""
    top = -1e300
    for s in range(len(matrix)):
        weights[s] = np.dot(matrix[s], features)
        if present[s]:
            top = max(top, weights[s])
    total = 0.0
    for s in range(len(matrix)):
        # Never quite zero: what no other source knows is left to the uniform share.
        weights[s] = max(np.exp(weights[s] - top), 1e-12) if present[s] else 0.0
        total += weights[s]
    for s in range(len(matrix)):
        weights[s] /= total


@njit(cache=True)
def mix(ids, low, n, attention, weights, p, followers, counts, out):
    """The mixture over the vocabulary; sources: n-grams, longest match, heads..., uniform."""
    floor = weights[len(weights) - 1] / len(out)
    if len(p):
        for token in range(len(out)):
            out[token] = weights[0] * p[token] + floor
    else:
        out[:] = floor
    total = 0
    for k in range(len(counts)):
        total += counts[k]
    for k in range(len(counts)):
        out[followers[k]] += weights[1] * counts[k] / total
    for h in range(len(attention)):
        for i in range(n):
            out[ids[low + i + 1]] += weights[2 + h] * attention[h, i]


@njit(cache=True)
def give(ids, low, n, attention, weights, p, followers, counts, size, token, out):
    """What each source gives one token of ``size``; see `mix`."""
    out[:] = 0
    out[len(out) - 1] = weights[len(weights) - 1] / size
    if len(p):
        out[0] = weights[0] * p[token]
    total, here = 0, 0
    for k in range(len(counts)):
        total += counts[k]
        here += counts[k] if followers[k] == token else 0
    if total > 0:
        out[1] = weights[1] * here / total
    for i in range(n):
        if ids[low + i + 1] == token:
            for h in range(len(attention)):
                out[2 + h] += weights[2 + h] * attention[h, i]


@njit(cache=True)
def rank(p, target):
    """(top, probability of the target, tokens above it, tokens as probable)."""
    best = 0
    for token in range(len(p)):
        if p[token] > p[best]:
            best = token
    limit, mine = p[best] * (1 - TIE), p[target]
    high, low = mine * (1 + TIE), mine * (1 - TIE)
    more, same = 0, 0
    for token in range(len(p)):
        more += p[token] > high
        same += p[token] >= low
    for token in range(best):
        if p[token] >= limit:
            best = token
            break
    return best, mine, more, same - more
