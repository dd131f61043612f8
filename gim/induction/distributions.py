"""Next-token distributions of many places of a text as sparse rows, and how alike they are."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from gim.induction.exact import ExactInduction
from gim.infinigram.query import InfiniGram, Match

Counts = tuple[NDArray[np.int64], NDArray[np.int64]]


def exact_distributions(
    ids: NDArray[np.int64], places: NDArray[np.int64], vocab_size: int, window: int = 1024
) -> csr_array:
    """What followed the longest earlier match within the last ``window`` tokens.

    Parameters
    ----------
    ids : int array of shape (n_tokens,)
    places : ascending int array of shape (n_places,)
        Tokens after which the next one is predicted.

    Returns
    -------
    probabilities : sparse array of shape (n_places, vocab_size)
    """
    induction, done, rows = ExactInduction(window), 0, []
    for place in places.tolist():
        induction.extend(ids[done : place + 1])
        done = place + 1
        rows.append(induction.counts())
    return _as_rows(rows, vocab_size)


def corpus_distributions(
    index: InfiniGram, ids: NDArray[np.int64], places: NDArray[np.int64], window: int = 1024
) -> csr_array:
    """What followed the longest suffix that the index's corpus holds; as `exact_distributions`."""
    rows, known, match, done = [], {}, Match(0, ()), 0
    for place in places.tolist():
        context = ids[max(0, place + 1 - window) : place + 1]
        # A match can grow by one with every token, so longer suffixes need no look-up.
        match = index.longest(context, min(match.length + place + 1 - done, len(context)))
        done = place + 1
        if match not in known:
            known[match] = index.followers(match)
        rows.append(known[match])
    return _as_rows(rows, index.vocab_size)


def _as_rows(rows: Iterable[Counts], vocab_size: int) -> csr_array:
    parts = list(rows)
    ends = np.cumsum([0, *(len(tokens) for tokens, _ in parts)])
    shares = [counts / counts.sum() for _, counts in parts]
    values = np.concatenate(shares) if shares else np.empty(0)
    columns = np.concatenate([tokens for tokens, _ in parts]) if parts else np.empty(0, int)
    return csr_array((values, columns, ends), shape=(len(parts), vocab_size))


def smoothed_similarity(smoothing: float = 0.01) -> Callable[[csr_array, csr_array], NDArray]:
    """exp(-D) of sparse distributions, D half their symmetrised Kullback-Leibler divergence.

    Counts give most tokens no probability at all, and the divergence would be infinite: a share
    ``smoothing`` of every distribution is spread evenly over the vocabulary.
    """

    def similarity(queries: csr_array, keys: csr_array) -> NDArray[np.float64]:
        floor = smoothing / queries.shape[1]
        p, q = queries * (1 - smoothing), keys * (1 - smoothing)
        # log(p + floor) = log(floor) + log1p(p / floor), which is sparse.
        log_p, log_q = _log_gain(p, floor), _log_gain(q, floor)
        own_p = p.multiply(log_p).sum(1) + floor * log_p.sum(1)
        own_q = q.multiply(log_q).sum(1) + floor * log_q.sum(1)
        cross = (p @ log_q.T).toarray() + floor * log_q.sum(1)
        cross += (log_p @ q.T).toarray() + floor * log_p.sum(1)[:, None]
        return np.exp(-np.maximum(own_p[:, None] + own_q - cross, 0) / 2)

    return similarity


def _log_gain(p: csr_array, floor: float) -> csr_array:
    return csr_array((np.log1p(p.data / floor), p.indices, p.indptr), shape=p.shape)
