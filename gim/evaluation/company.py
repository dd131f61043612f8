"""Models in whose company a weighed one is judged: n-grams with and without a cache, prompt lookup.

Interpolated modified Kneser-Ney is what smoothing reached before neural networks (Chen and Goodman
1998); a cache of the context's words (Kuhn and De Mori 1990) and exact induction are each mixed
in with one fixed weight.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gim.induction.exact import ExactInduction
from gim.scores import Scores
from gim.weighing.model import WeightedGIM, WeightedStream, ranked

NGRAMS, CACHE, EXACT, LOOKUP = "kneser-ney", "kneser-ney+cache", "kneser-ney+exact", "prompt-lookup"
WEIGHTED = "weighted"
PROPER = (WEIGHTED, NGRAMS, CACHE, EXACT)  # never give a token no probability
# Weights of the second part, the best of steps of 0.05 on held-out training documents of the
# gutenberg and wikipedia corpora.
SHARES = {CACHE: 0.1, EXACT: 0.15}
LOOKUPS = (3, 2, 1)  # lengths of the suffixes that prompt lookup tries


def score_company(
    model: WeightedGIM, ids: NDArray[np.int64], targets: NDArray[np.int64]
) -> dict[str, Scores]:
    """Scores of the weighed model and of its company, in one pass.

    Parameters
    ----------
    model : WeightedGIM
        Without a corpus, the company is prompt lookup alone.
    ids, targets : int arrays of shape (n,)
        As for `WeightedGIM.score`.
    """
    rows = {name: Scores.empty(len(ids)) for name in (WEIGHTED, LOOKUP)}
    if model.index is not None:
        rows |= {name: Scores.empty(len(ids)) for name in (NGRAMS, CACHE, EXACT)}
    exact, done = ExactInduction(model.window), 0
    for t, stream in model.walk(ids, np.flatnonzero(targets >= 0)):
        exact.extend(ids[done : t + 1])
        done = t + 1
        rows[WEIGHTED][t] = ranked(stream.distribution(), targets[t], stream.place.longest)
        rows[LOOKUP][t] = _looked_up(stream.context, targets[t])
        for name, p in _by_ngrams(stream, exact) if model.index is not None else ():
            rows[name][t] = ranked(p, targets[t], 0)
    return rows


def _by_ngrams(
    stream: WeightedStream, exact: ExactInduction
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Distributions over the vocabulary; an array holds until the next one."""
    ngrams = stream.place.p
    yield NGRAMS, ngrams
    said, times = np.unique(stream.context, return_counts=True)
    yield CACHE, _mixed(ngrams, said, times, SHARES[CACHE])
    if exact.suffix_len:
        yield EXACT, _mixed(ngrams, *exact.counts(), SHARES[EXACT])
    else:
        yield EXACT, ngrams


def _mixed(p: NDArray, tokens: NDArray, counts: NDArray, share: float) -> NDArray[np.float64]:
    out = (1 - share) * p
    out[tokens] += share * counts / counts.sum()
    return out


def _looked_up(context: NDArray[np.int64], target: int) -> Scores:
    """Prompt lookup: what followed the first place with the longest of a few suffixes."""
    for n in LOOKUPS:
        if len(context) <= n:
            continue
        same = np.ones(len(context) - n, np.bool_)
        for i in range(n):
            same &= context[i : len(context) - n + i] == context[len(context) - n + i]
        if same.any():
            token = int(context[int(same.argmax()) + n])
            hit = int(token == target)
            return Scores(n, token, float(hit), 1 - hit, hit)  # type: ignore[arg-type]
    return Scores(0, -1, 0.0, 1, 0)  # type: ignore[arg-type]
