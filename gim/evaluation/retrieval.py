"""How well a similarity finds what a teacher finds most alike.

Kim, Mantena et al. 2025 (arXiv 2411.00066), section 3.2: the similarity of two positions is that of
the next-token distributions that a teacher gives there. A metric is judged by whether the
candidate nearest to a query for the teacher is nearest for the metric, too.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from gim.causal.teacher import TeacherMetric
from gim.errors import InputError
from gim.evaluation.measures import document_interval
from gim.induction.fuzzy import Metric
from gim.text.tokenizer import Tokenizer

TOP = (1, 5)
QUERIES, CANDIDATES = 128, 512  # positions of a round
SEGMENT = 32  # consecutive tokens that positions are drawn from
PER_SEGMENT = 16
LEAD = 64  # tokens before a segment


def retrieval_scores(
    similarity: ArrayLike, distance: ArrayLike, top: tuple[int, ...] = TOP
) -> dict[str, NDArray[np.float64]]:
    """Agreement of a similarity with a teacher's distances, for every query.

    Parameters
    ----------
    similarity : float array of shape (n_queries, n_candidates)
        The larger, the more alike.
    distance : float array of the same shape
        The teacher's; its smallest entry in a row is the candidate to find (the first of equals).
    top : ints

    Returns
    -------
    scores : dict of float arrays of shape (n_queries,)
        ``recall1``, ``recall5``...: the chance that the teacher's nearest candidate is among the
        first, candidates of equal similarity being ordered at random. ``spearman``: rank
        correlation of similarity and minus distance over the candidates; 0 where either does not
        tell them apart.
    """
    alike, apart = np.asarray(similarity, np.float64), np.asarray(distance, np.float64)
    if alike.shape != apart.shape or alike.ndim != 2:
        raise ValueError(f"similarities {alike.shape} and distances {apart.shape} do not pair up")
    found = np.take_along_axis(alike, apart.argmin(1)[:, None], 1)
    better, equal = (alike > found).sum(1), (alike == found).sum(1)
    scores = {f"recall{k}": np.clip((k - better) / equal, 0, 1) for k in top}
    return {**scores, "spearman": _correlation(rankdata(alike, axis=1), rankdata(-apart, axis=1))}


def _correlation(a: NDArray, b: NDArray) -> NDArray[np.float64]:
    """Pearson correlation of each row of ``a`` with that of ``b``, 0 where one is constant."""
    a, b = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
    size = np.sqrt((a * a).sum(1) * (b * b).sum(1))
    return np.divide((a * b).sum(1), size, out=np.zeros(len(a)), where=size > 0)


def compare_metrics(
    documents: Sequence[NDArray[np.int64]],
    tokenizer: Tokenizer,
    metrics: dict[str, Metric],
    teacher: TeacherMetric,
    *,
    rounds: int = 8,
    seed: int = 0,
) -> pd.DataFrame:
    """How well metrics find the teacher's nearest neighbour among 512 candidates.

    In every round, 16 positions are drawn from each of 40 segments of 32 tokens anywhere in the
    documents; 128 of these are queries, the other 512 their candidates. Metrics and teacher see the
    segment and the 64 tokens before it.

    Parameters
    ----------
    documents : sequence of int arrays
        Held-out texts as ids of ``tokenizer``.
    metrics : dict of name to Metric

    Returns
    -------
    table : DataFrame
        Columns ``metric queries`` and, of every score of `retrieval_scores`, the mean and the 95 %
        interval (``_lo``, ``_hi``) from resampling documents.

    Raises
    ------
    InputError
        When no document is long enough.
    """
    texts = long_enough(documents)
    rng = np.random.default_rng(seed)
    found: dict[str, list[dict[str, NDArray]]] = {name: [] for name in metrics}
    document_of: list[NDArray] = []
    for _ in range(rounds):
        of, segments, places = _draw(texts, rng)
        order = rng.permutation(QUERIES + CANDIDATES)
        asked, offered = order[:QUERIES], order[QUERIES:]
        states = _states(teacher, tokenizer, segments, places)
        distance = teacher.divergence(states[asked], states[offered])
        for name, metric in metrics.items():
            states = _states(metric, tokenizer, segments, places)
            similarity = metric.similarity(states[asked], states[offered])
            found[name].append(retrieval_scores(similarity, distance))
        document_of.append(np.repeat(of, PER_SEGMENT)[asked])
    # Documents without a query do not count as documents.
    document = np.unique(np.concatenate(document_of), return_inverse=True)[1]
    rows = []
    for name, parts in found.items():
        row: dict[str, object] = {"metric": name, "queries": len(document)}
        for key in parts[0]:
            values = np.concatenate([part[key] for part in parts])
            row[key] = float(values.mean())
            row[f"{key}_lo"], row[f"{key}_hi"] = document_interval(values, document, seed)
        rows.append(row)
    return pd.DataFrame(rows)


def long_enough(documents: Sequence[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """Documents that segments can be drawn from, with what comes before them.

    Raises
    ------
    InputError
        When there is none.
    """
    texts = [ids for ids in documents if len(ids) >= LEAD + SEGMENT]
    if not texts:
        raise InputError(f"no document is longer than {LEAD + SEGMENT} tokens")
    return texts


def _draw(texts: list[NDArray], rng: np.random.Generator) -> tuple[NDArray, list[NDArray], NDArray]:
    """Segments with what comes before them: their documents, their ids, the places drawn."""
    room = np.array([len(ids) - LEAD - SEGMENT + 1 for ids in texts])
    of = rng.choice(len(texts), (QUERIES + CANDIDATES) // PER_SEGMENT, p=room / room.sum())
    starts = rng.integers(0, room[of])
    segments = [texts[k][s : s + LEAD + SEGMENT] for k, s in zip(of, starts, strict=True)]
    places = [LEAD + rng.permutation(SEGMENT)[:PER_SEGMENT] for _ in segments]
    return of, segments, np.array(places)


def _states(
    metric: Metric, tokenizer: Tokenizer, segments: list[NDArray], places: NDArray
) -> NDArray:
    """States at the places of every segment, each read on its own."""
    pairs = zip(segments, places, strict=True)
    return np.concatenate([metric.stream(tokenizer).push(ids)[where] for ids, where in pairs])
