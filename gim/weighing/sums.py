"""Sums over the vocabulary of probability times numbers of each token, for many places at once.

A mixture is made of parts, and so is every sum that is linear in its probabilities. What follows a
context in the corpus is the same wherever a text comes to that context, so that its part is summed
once. Most contexts are followed by few tokens, and votes are for tokens that the text holds: what
is left is a fraction of the product of all places' probabilities with all numbers.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from gim.infinigram.kneser_ney import KneserNey
from gim.weighing.place import NGrams
from gim.weighing.weights import HEADS, SOURCES

if TYPE_CHECKING:
    from gim.weighing.model import WeightedGIM, WeightedStream

DENSE = 1 / 16  # share of the tokens from which on a row is sooner multiplied as a dense one
ROWS = 256  # dense rows multiplied at once
EMPTY = -1  # in the place of a context's node: it sorts before all of them
VOTES = slice(SOURCES.index(HEADS[0]), SOURCES.index(HEADS[-1]) + 1)


class _Kept(NamedTuple):
    """What is kept of a place: its sources' weights, and what they weigh."""

    weights: NDArray[np.float64]
    votes: NDArray  # of each token that can be voted for, all heads together
    ngrams: list[NGrams]
    followers: NDArray[np.int64]
    counts: NDArray[np.int64]


class Sums:
    """Adds up, for all places that it is shown, what is linear in their probabilities.

    Products are in single precision. On a story, with a vector for each word, sums differ from
    those in double precision by at most 5e-7 of their length, as does the product of whole
    distributions in single precision.

    Parameters
    ----------
    model : WeightedGIM
        Whose streams are shown.
    ids : int array of shape (n_ids,)
        All tokens that the streams read.
    tokens : int array of shape (n_tokens,)
        Those, without repetition, that have numbers; others have zeros.
    values : float32 array of shape (n_tokens, n_values)
        Their numbers.
    """

    def __init__(
        self,
        model: "WeightedGIM",
        ids: NDArray[np.int64],
        tokens: NDArray[np.int64],
        values: NDArray[np.float32],
    ) -> None:
        self._model, self._tokens, self._values = model, tokens, values
        self._size = model.tokenizer.vocab_size
        self._said = np.flatnonzero(np.isin(tokens, ids))
        # A column for each token that can be voted for, and one for those without numbers.
        self._column = np.full(self._size, len(self._said))
        self._column[tokens[self._said]] = np.arange(len(self._said))
        self._kept: list[_Kept] = []

    def __len__(self) -> int:
        """Places that were added since the last `take`."""
        return len(self._kept)

    def add(self, stream: "WeightedStream") -> None:
        """Add the place that a stream is at."""
        place, found = stream.place, stream.weighed
        columns = self._column[stream.context[1:]]
        votes = np.bincount(columns, found.weights[VOTES] @ found.attention, len(self._said) + 1)
        corpus = place.ngrams, place.followers, place.counts
        self._kept.append(_Kept(found.weights, votes[:-1], *corpus))

    def take(self) -> NDArray[np.float32]:
        """The sums of the places that were added, shape (n_places, n_values); begin anew."""
        kept, self._kept = self._kept, []
        if not kept:
            return np.empty((0, self._values.shape[1]), np.float32)
        weights = np.array([one.weights for one in kept], np.float32)
        out = np.array([one.votes for one in kept], np.float32) @ self._values[self._said]
        out += np.outer(weights[:, -1] / self._size, self._values.sum(axis=0, dtype=float))
        for number, (model, share) in enumerate(self._model.ngrams):
            found = [one.ngrams[number] for one in kept]
            out += self._by_ngrams(model, share * weights[:, 0], found)
        longest = [row for row, one in enumerate(kept) if len(one.counts)]
        out[longest] += weights[longest, 1:2] * self._by_longest([kept[row] for row in longest])
        return out

    def _by_longest(self, kept: list[_Kept]) -> NDArray[np.float32]:
        """What followed the longest suffix in the corpus at each place."""
        ends = np.cumsum([0, *(len(one.counts) for one in kept)])
        shares = [one.counts / one.counts.sum() for one in kept]
        values = np.concatenate([np.empty(0), *shares]).astype(np.float32)
        tokens = np.concatenate([np.empty(0, np.int64), *(one.followers for one in kept)])
        return self._multiply(csr_array((values, tokens, ends), shape=(len(kept), self._size)))

    def _by_ngrams(
        self, model: KneserNey, weights: NDArray[np.float32], found: list[NGrams]
    ) -> NDArray[np.float32]:
        """What the n-grams of one index, so weighted, add at each place."""
        nodes, totals, left = (
            np.array([getattr(part, name)[::-1] for part in found])
            for name in ("nodes", "totals", "left")
        )
        # From the longest context to the empty one, each leaves a part of its weight to the next.
        rest = np.cumprod(np.column_stack([weights, left]), axis=1, dtype=np.float32)
        nodes, seen = _with_empty(nodes, EMPTY), _with_empty(totals > 0, True)
        contexts, first, which = np.unique(nodes[seen], return_index=True, return_inverse=True)
        lengths = nodes.shape[1] - 1 - np.nonzero(seen)[1][first]
        unigrams = csr_array(model.unigram[None].astype(np.float32))
        shares = vstack([unigrams, model.after(contexts[1:], lengths[1:])], format="csr")
        ends = np.append(0, np.cumsum(seen.sum(axis=1)))
        given = csr_array((rest[seen], which, ends), shape=(len(found), len(contexts)))
        return given @ self._multiply(shares)

    def _multiply(self, shares: csr_array) -> NDArray[np.float32]:
        """Product of shares of tokens, (n, vocab_size), with their numbers: (n, n_values)."""
        shares = shares[:, self._tokens]
        many = np.diff(shares.indptr) > DENSE * len(self._tokens)
        out = np.empty((len(many), self._values.shape[1]), np.float32)
        out[~many] = shares[~many] @ self._values
        rows = np.flatnonzero(many)
        for begin in range(0, len(rows), ROWS):
            some = rows[begin : begin + ROWS]
            out[some] = shares[some].toarray() @ self._values
        return out


def _with_empty(columns: NDArray, value: Any) -> NDArray:
    """By length of context, falling, with a column for the empty one."""
    return np.column_stack([columns, np.full(len(columns), value)])
