"""The passages behind a probability of the mixture: their weights and what remains add up to it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gim._kernels import ngram_trie as trie
from gim.induction.prediction import Evidence
from gim.infinigram.query import InfiniGram, Passage
from gim.weighing.weights import HEADS, SOURCES

if TYPE_CHECKING:
    from gim.weighing.place import Place, Weighed

ngrams: Any = trie  # compiled functions carry no types
DISCOUNT = "discounts"  # of the n-grams, what they hand down to the uniform distribution


@dataclass(frozen=True)
class Attribution:
    """Where the probability of one token comes from.

    Attributes
    ----------
    token : int
    probability : float
    sources : dict of str to float
        What each source gives; they sum to the probability.
    passages : list of Evidence
        The strongest passages; ``weight`` is what each gives.
    remainder : dict of str to float
        What no passage here gives: of each source, the passages that are not listed ("others of
        SOURCE"); the *uniform* share; *discounts*, which the n-grams hand down to the uniform
        distribution. Weights of passages and remainder sum to the probability.
    """

    token: int
    probability: float
    sources: dict[str, float]
    passages: list[Evidence] = field(default_factory=list)
    remainder: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Orders:
    """What each order of the n-grams of one index gives a token: one length of context each."""

    by_length: dict[int, float]
    discounts: float


def _orders(part: Any, weight: float, token: int) -> _Orders:
    """Split the probability of a token by the order that gives it; see the kernel `spread`."""
    tokens, counts, children, discounts, _ = part.model.arrays
    rest, given = weight * part.share, {}
    for m in range(len(part.nodes) - 1, -1, -1):
        if part.totals[m] == 0:
            continue
        node = ngrams.child(tokens, children, part.nodes[m], token)
        if node >= 0:
            c = int(counts[node])
            own = rest * (c - discounts[m + 1, min(c, 3)]) / part.totals[m]
            given[m + 1] = float(own)
        rest *= part.left[m]
    whole, discounted = part.model.unigram_parts
    given[0] = float(rest * whole[token])
    return _Orders({m: g for m, g in given.items() if g > 0}, float(rest * discounted))


class Passages:
    """Names the passages behind the next token of a stream.

    Parameters
    ----------
    place, found : Place, Weighed
    context : int array of shape (n,)
        Tokens of the context.
    n_seen : int
        Tokens consumed, so that context positions can be absolute.
    index : InfiniGram or None
    """

    def __init__(
        self,
        place: "Place",
        found: "Weighed",
        context: NDArray[np.int64],
        n_seen: int,
        index: InfiniGram | None,
    ) -> None:
        self._place, self._found, self._context = place, found, context
        self._n_seen, self._index = n_seen, index

    def of(self, token: int, given: NDArray[np.float64], limit: int = 5) -> Attribution:
        """The strongest passages that speak for a token, and what remains.

        ``given`` is what each source gives it, by `gim.weighing.weights.SOURCES`.
        """
        sources = dict(zip(SOURCES, given.tolist(), strict=True))
        listed: list[tuple[str, Evidence]] = [*self._votes(token, limit)]
        remainder = {"uniform": float(given[-1])}
        for m, share in self._by_corpus(token, remainder).items():
            listed += [("ngrams", item) for item in self._places(token, m, share, limit)]
        if self._place.match is not None and given[1] > 0:
            places = self._places(token, self._place.match.length, float(given[1]), limit)
            listed += [("longest", item) for item in places]
        listed.sort(key=lambda pair: -pair[1].weight)
        listed = listed[:limit]
        for source in SOURCES[:-1]:
            rest = sources[source] - sum(item.weight for name, item in listed if name == source)
            rest -= remainder.get(DISCOUNT, 0.0) if source == "ngrams" else 0.0
            if rest > 1e-15:
                remainder[f"others of {source}"] = rest
        passages = [item for _, item in listed]
        return Attribution(token, float(given.sum()), sources, passages, remainder)

    def _votes(self, token: int, limit: int) -> list[tuple[str, Evidence]]:
        """Places of the context that were followed by the token, by what all heads give them."""
        heads = self._found.weights[2 : 2 + len(HEADS)]
        where = np.flatnonzero(self._context[1:] == token)
        found, first = [], self._n_seen - len(self._context)
        for h, head in enumerate(HEADS):
            weights = heads[h] * self._found.attention[h, where]
            for i in np.argsort(-weights, kind="stable")[:limit]:
                end = first + int(where[i]) + 1
                length = self._length(int(where[i]))
                item = Evidence(
                    "context", -1, end - length, end, token, float(weights[i]), kind=head
                )
                found.append((head, item))
        return found

    def _length(self, i: int) -> int:
        """Tokens in a row before the vote of place i that agree with the end of the context."""
        n = 0
        while n <= i and self._context[i - n] == self._context[-1 - n]:
            n += 1
        return max(n, 1)

    def _by_corpus(self, token: int, remainder: dict[str, float]) -> dict[int, float]:
        """What n-grams of each length of context give, over all indexes."""
        total: dict[int, float] = {}
        for part in self._place.ngrams:
            orders = _orders(part, float(self._found.weights[0]), token)
            remainder[DISCOUNT] = remainder.get(DISCOUNT, 0.0) + orders.discounts
            for m, share in orders.by_length.items():
                total[m] = total.get(m, 0.0) + share
        return total

    def _places(self, token: int, length: int, share: float, limit: int) -> list[Evidence]:
        """Places of the corpus where the last tokens were followed by the token, a part each."""
        assert self._index is not None
        query = np.append(self._context[len(self._context) - length :], token)
        match = self._index.followed(query)
        if match.total == 0:  # only at the beginning of documents
            return []
        return [
            _evidence(item, length, share / match.total)
            for item in self._index.passages(match, limit)
        ]


def _evidence(item: Passage, length: int, weight: float) -> Evidence:
    return Evidence(
        where=item.index,
        document=item.document,
        begin=item.position - length,
        end=item.position,
        token=int(item.tokens[item.focus]),
        weight=weight,
        passage=tuple(item.tokens.tolist()),
        focus=item.focus,
        kind="corpus",
    )
