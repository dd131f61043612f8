"""One place of a text as the mixture sees it: what each source says, and what the gate knows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gim._kernels import ngram_trie as trie
from gim._kernels import weigh as weigh_kernel
from gim.infinigram.kneser_ney import KneserNey
from gim.infinigram.query import Match
from gim.weighing.weights import GATE, HEADS, ORDERS, SOURCES, Weights

kernel: Any = weigh_kernel  # compiled functions carry no types
ngrams: Any = trie
NONE = np.empty(0)
BASE = len(GATE) - 2 * len(HEADS)  # what the gate knows without the votes' weights


@dataclass
class NGrams:
    """What the n-grams of one index say: contexts found, their counts, and what they leave."""

    model: KneserNey
    share: float
    nodes: NDArray[np.int64]
    totals: NDArray[np.float64]
    left: NDArray[np.float64]


@dataclass
class Place:
    """Everything that speaks for the token after one place.

    Attributes
    ----------
    low, n : int
        The votes are those of places ``low`` to ``low + n - 1`` of the stream's buffer.
    classes, votes : arrays of shape (n,) and (n, n_features)
    ngrams : list of NGrams, one an index
    p : float array of shape (vocab_size,)
        Their distribution; empty without a corpus.
    match : Match or None
        Longest suffix in the corpus.
    followers, counts : int arrays
        What followed it, if it is longer than the n-grams.
    known : float array of shape (n_gate,)
        What the gate knows; the votes' part is filled in by `weigh`.
    """

    low: int
    n: int
    classes: NDArray[np.int64]
    votes: NDArray[np.float64]
    ngrams: list[NGrams]
    p: NDArray[np.float64]
    match: Match | None
    followers: NDArray[np.int64]
    counts: NDArray[np.int64]
    longest: int
    known: NDArray[np.float64]
    present: NDArray[np.bool_]


@dataclass
class Weighed:
    """A place after weighing.

    Attributes
    ----------
    attention : float array of shape (n_heads, n)
        Share of each vote in its head.
    weights : float array of shape (n_sources,)
        By `gim.weighing.weights.SOURCES`; they sum to 1.
    """

    attention: NDArray[np.float64]
    weights: NDArray[np.float64]


def read_ngrams(
    models: list[tuple[KneserNey, float]], context: NDArray[np.int64], begins: bool, p: NDArray
) -> list[NGrams]:
    """Fill ``p`` with the mean of several n-gram models by their shares; say what they found."""
    out: list[NGrams] = []
    for model, share in models:
        nodes = model.find(context, begins)
        part = NGrams(model, share, nodes, np.empty(len(nodes)), np.empty(len(nodes)))
        target = p if not out else np.empty_like(p)
        ngrams.spread(*model.arrays, nodes, target, part.totals, part.left)
        if len(models) > 1:
            target *= share
            if out:
                p += target
        out.append(part)
    return out


def know(place: Place, cosine: float) -> None:
    """Fill in what the gate knows before votes are weighed, and which sources are there."""
    counts, left = np.zeros(len(ORDERS)), np.zeros(len(ORDERS))
    for part in place.ngrams:
        n = min(len(ORDERS), len(part.nodes))
        counts[:n] += part.totals[:n]
        left[:n] += part.share * part.left[:n]
    best = place.p.max() if place.ngrams else 0.0
    length = 0 if place.match is None else place.match.length
    kernel.know(
        counts, left, best, length, place.counts, place.longest, cosine, place.n,
        place.known, place.present,
    )  # fmt: skip


def weigh(place: Place, weights: Weights, similar: bool) -> Weighed:
    """Weigh the votes and the sources of a place; ``similar``: there is an encoder."""
    h = len(HEADS)
    attention = np.zeros((h, place.n))
    strength, focus = place.known[BASE : BASE + h], place.known[BASE + h :]
    if place.n:
        kernel.appeal(place.n, place.classes, place.votes, *weights.of_votes, attention)
        # NumPy's exponentials take several numbers at once, those of compiled loops one.
        top = attention.max(axis=1, keepdims=True)
        np.exp(np.subtract(attention, top, out=attention), out=attention)
        total = attention.sum(axis=1)
        attention /= total[:, None]
        strength[:] = top[:, 0] + np.log(total)
        focus[:] = np.log(np.einsum("hi,hi->h", attention, attention))
    place.present[SOURCES.index("similar")] &= similar
    out = np.empty(len(SOURCES))
    kernel.gate(weights.gate, place.known, place.present, out)
    return Weighed(attention, out)
