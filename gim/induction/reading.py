"""What a reader who can only copy from the text so far expects of every word.

GIM (Kim, Mantena et al. 2025, Eq. 5) on words instead of tokens, without a corpus: if the last
words occurred before, at least ``tau`` of them in a row, what followed there is the prediction
(exact induction); else every earlier word votes for its follower by the similarity of its state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gim._kernels import soft
from gim.encoder.encoder import Encoder
from gim.induction.exact import ExactInduction
from gim.text.ngram import previous_occurrences
from gim.text.words import join_words

kernel: Any = soft  # compiled functions carry no types
BLOCK = 256  # words compared at once
VOCABULARY = 50_000  # words among which one that was never said is guessed


@dataclass(frozen=True)
class Reading:
    """Expectations of a text of n words; every array is about the word before it is heard.

    Attributes
    ----------
    ids : int array of shape (n,)
        Words as rows of ``vocabulary``.
    vocabulary : list of str
        The distinct words, in order of appearance.
    expected : array of shape (n, n_vocabulary)
        Probability of each word; rows sum to one, or to zero where there is nothing to copy from.
    surprisal, entropy : arrays of shape (n,)
        Minus the log probability of the word that came, and the expectation's entropy, in nats.
    suffix : int array of shape (n,)
        Words in a row before it that occurred before.
    exact : bool array of shape (n,)
        Whether exact induction answered.
    similarity : array of shape (n,)
        Similarity of the most similar earlier state (0: none).
    lag : int array of shape (n,)
        Words since that state (0: none).
    """

    ids: NDArray[np.int64]
    vocabulary: list[str]
    expected: NDArray[np.float64]
    surprisal: NDArray[np.float64]
    entropy: NDArray[np.float64]
    suffix: NDArray[np.int64]
    exact: NDArray[np.bool_]
    similarity: NDArray[np.float64]
    lag: NDArray[np.int64]

    @property
    def count(self) -> NDArray[np.int64]:
        """How often each word was said before, shape (n,)."""
        said = np.zeros(len(self.vocabulary), np.int64)
        counts = np.empty(len(self.ids), np.int64)
        for i, word in enumerate(self.ids):
            counts[i] = said[word]
            said[word] += 1
        return counts

    def repeats(self, n: int) -> NDArray[np.bool_]:
        """Whether the n words that end with each one were said before in that order."""
        return previous_occurrences(self.ids, n) >= 0


def read(
    words: Sequence[str], encoder: Encoder, tau: int = 2, states: NDArray | None = None
) -> Reading:
    """Read a text word by word.

    Parameters
    ----------
    words : sequence of str
    encoder : Encoder
        Whose states are compared.
    tau : int
        Words in a row from which an exact match is trusted more than similar places.
    states : array of shape (n, size), optional
        The encoder's after each word, if they are at hand.
    """
    vocabulary = list(dict.fromkeys(words))
    place = {word: k for k, word in enumerate(vocabulary)}
    ids = np.array([place[word] for word in words], np.int64)
    n = len(ids)
    if states is None:
        states = encoder.vectors(*join_words(words))
    fuzzy, similarity, lag = _fuzzy(ids, len(vocabulary), states, encoder)
    copied, suffix = ExactInduction(None).read(ids, len(vocabulary))
    exact = suffix >= tau
    expected = np.where(exact[:, None], copied, fuzzy)
    return Reading(
        ids,
        vocabulary,
        expected,
        surprisal=-np.log(_smoothed(expected[np.arange(n), ids], ids)),
        entropy=-(expected * np.log(np.where(expected > 0, expected, 1))).sum(1),
        suffix=suffix,
        exact=exact,
        similarity=similarity,
        lag=lag,
    )


def _fuzzy(
    ids: NDArray[np.int64], size: int, states: NDArray, encoder: Encoder
) -> tuple[NDArray, NDArray, NDArray]:
    """Votes of earlier states, similarity and lag of the best one; row i is about word i."""
    n = len(ids)
    votes, value, best = np.zeros((n, size)), np.zeros(n), np.zeros(n, np.int64)
    for begin in range(2, n, BLOCK):
        end = min(begin + BLOCK, n)
        similar = encoder.similarity(states[begin - 1 : end - 1], states[: end - 2])
        kernel.soft_votes(similar, ids, begin, votes, value, best)
    lag = np.where(value > 0, np.arange(n) - 1 - best, 0)
    return votes / np.maximum(votes.sum(1, keepdims=True), 1e-300), value, lag


def _smoothed(p: NDArray, ids: NDArray[np.int64]) -> NDArray:
    """Leave room for new words, as much as there were so far (Witten and Bell 1991)."""
    said = np.arange(len(ids))
    first = np.zeros(len(ids))
    first[np.unique(ids, return_index=True)[1]] = 1
    kinds = np.cumsum(first) - first
    new = np.where(said > 0, kinds / np.maximum(said + kinds, 1), 1.0)
    return (1 - new) * p + new / VOCABULARY
