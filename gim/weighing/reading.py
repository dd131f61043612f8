"""What a reader who weighs everything heard so far, and a corpus, expects of every word."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gim.text.words import tokens_of_words
from gim.weighing.model import WeightedGIM
from gim.weighing.weights import SOURCES


@dataclass(frozen=True)
class WeighedReading:
    """Expectations of a text of n words; every array is about the word before it is heard.

    Attributes
    ----------
    surprisal : float array of shape (n,)
        Minus the log probability of the word, nats: the sum over its tokens.
    entropy : float array of shape (n,)
        Of the word's first token, nats.
    expected : list of str
        The most probable first token, as text.
    vocabulary : list of str
        The distinct words, in order of appearance.
    begins : float32 array of shape (n, n_vocabulary)
        Probability that the next word begins as each of them does: of its first token.
    shares : float array of shape (n, n_sources)
        How much of the word's probability each source gave (`gim.weighing.weights.SOURCES`): the
        mean over its tokens; rows sum to 1.
    """

    surprisal: NDArray[np.float64]
    entropy: NDArray[np.float64]
    expected: list[str]
    vocabulary: list[str]
    begins: NDArray[np.float32]
    shares: NDArray[np.float64]


def read_words(model: WeightedGIM, words: Sequence[str]) -> WeighedReading:
    """Read a text word by word.

    Parameters
    ----------
    model : WeightedGIM
    words : sequence of str
        As spoken; they are joined by single spaces.
    """
    ids, last = tokens_of_words(model.tokenizer, words)
    first = np.append(0, last[:-1] + 1)
    vocabulary = list(dict.fromkeys(words))
    starts = np.array([_first_token(model, word) for word in vocabulary], np.int64)
    n = len(words)
    surprisal, entropy, expected = np.zeros(n), np.zeros(n), []
    begins, shares = np.zeros((n, len(vocabulary)), np.float32), np.zeros((n, len(SOURCES)))
    stream = model.stream()
    for i in range(n):
        for t in range(first[i], last[i] + 1):
            p = stream.distribution()
            token = int(ids[t])
            if t == first[i]:
                entropy[i] = -(p * np.log(p)).sum()
                begins[i] = p[starts]
                expected.append(model.tokenizer.decode([int(p.argmax())]).strip())
            surprisal[i] -= np.log(p[token])
            shares[i] += stream.shares(token) / p[token]
            stream.push(token)
        shares[i] /= last[i] + 1 - first[i]
    return WeighedReading(surprisal, entropy, expected, vocabulary, begins, shares)


def _first_token(model: WeightedGIM, word: str) -> int:
    """First token of a word within a text: of a second word, as the space may belong to it."""
    ids, last = tokens_of_words(model.tokenizer, ["a", word])
    return int(ids[last[0] + 1])
