"""What a model that weighs evidence expects of every word, before it comes and when it has come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from gim.text.words import join_words, tokens_of_words
from pipeline.embedding.eng1000 import Eng1000

if TYPE_CHECKING:
    from gim.text.tokenizer import Tokenizer
    from gim.weighing.model import WeightedGIM, WeightedStream

BATCH = 2048  # words whose evidence is kept at a time
OPTIONS: dict[str, Any] = {
    "encoder": None,
    "index": None,  # folder that `gim index` wrote; null: what the story has said so far, alone
    "tokenizer": None,  # the index's; null: the shipped one
    "weights": None,  # file of `gim tune`; null: the shipped ones
}


@dataclass(frozen=True)
class Expectation:
    """Expectations of a text of n words.

    Attributes
    ----------
    surprisal : array of shape (n,)
        Minus the log probability of the word, nats: the sum over its tokens.
    entropy : array of shape (n,)
        Of the word's first token, nats.
    shares : array of shape (n, n_sources)
        How much of the word's probability each source gave (`gim.weighing.weights.SOURCES`), the
        mean over its tokens; rows sum to 1.
    meaning : array of shape (n, n_basis), float32
        Mean vector of the words that could come, by their probability; zero columns without a
        word space.
    """

    surprisal: np.ndarray
    entropy: np.ndarray
    shares: np.ndarray
    meaning: np.ndarray


def load_weighing(options: Mapping[str, Any]) -> WeightedGIM:
    """The model that the `OPTIONS` describe, loaded once a job.

    Raises
    ------
    gim.errors.InputError
        If a file is missing, or the index was made with another tokenizer.
    """
    return _load(*(options[name] for name in OPTIONS))


@cache
def _load(
    encoder: str | None, index: str | None, tokenizer: str | None, weights: str | None
) -> WeightedGIM:
    from gim.weighing.model import WeightedGIM

    return WeightedGIM.from_files(index, tokenizer, encoder, weights)


def encoded(model: WeightedGIM, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray] | None:
    """The states of the model's encoder after each token and after each word of a text.

    Both are of the same text, which is read once.

    Parameters
    ----------
    model : WeightedGIM
    words : sequence of str
        As spoken; they are joined by single spaces.

    Returns
    -------
    of_tokens : array of shape (n_tokens, size), float32
    of_words : array of shape (n, size), float32
        None instead of both where the model has no encoder, or its tokens spell more than the
        words so far where a word ends.
    """
    text, ends = join_words(words)
    ids, last = tokens_of_words(model.tokenizer, words)
    spelt, after = model.tokenizer.text_and_ends(ids)
    if spelt != text or (after[last] != ends).any():
        return None
    states = model.states(ids)
    return None if states is None else (states, states[last])


def expectations(
    model: WeightedGIM,
    words: Sequence[str],
    space: Eng1000 | None = None,
    states: np.ndarray | None = None,
) -> Expectation:
    """Read a text word by word.

    Parameters
    ----------
    model : WeightedGIM
    words : sequence of str
        As spoken; they are joined by single spaces.
    space : Eng1000, optional
        Word space. The words that could come are those of it that are one token; what is expected
        is about them alone.
    states : array of shape (n_tokens, size), optional
        The encoder's after each token, if they are at hand: see `encoded`.
    """
    from gim.weighing.weights import SOURCES

    n = len(words)
    ids, last = tokens_of_words(model.tokenizer, words)
    first = np.append(0, last[:-1] + 1)[:n]
    word_of = np.searchsorted(last, np.arange(len(ids)))
    surprisal, entropy, shares = np.zeros(n), np.zeros(n), np.zeros((n, len(SOURCES)))
    meaning = None if space is None else _Meaning(model, ids, space, n)
    logs = np.empty(model.tokenizer.vocab_size)
    for t, stream in enumerate(_before_each(model, ids, states)):
        i = int(word_of[t])
        if t == first[i]:
            p = stream.distribution()
            entropy[i] = -(p @ np.log(p, out=logs))
            if meaning is not None:
                meaning.add(i, stream, p)
        given = stream.shares(int(ids[t]))
        surprisal[i] -= np.log(given.sum())
        shares[i] += given / given.sum()
    shares /= np.maximum(last + 1 - first, 1)[:, None]
    vectors = np.zeros((n, 0), np.float32) if meaning is None else meaning.finish()
    return Expectation(surprisal, entropy, shares, vectors)


class _Meaning:
    """The mean vectors of the words that could come, made of many places at a time.

    Parameters
    ----------
    model : WeightedGIM
    ids : int array of shape (n_tokens,)
        The text.
    space : Eng1000
    n : int
        Its words.
    """

    def __init__(self, model: WeightedGIM, ids: np.ndarray, space: Eng1000, n: int) -> None:
        from gim.weighing.sums import Sums

        tokens, vectors = _candidates(model.tokenizer, space)
        self._sums = Sums(model, ids, tokens, vectors)
        self._is_candidate = np.zeros(model.tokenizer.vocab_size)
        self._is_candidate[tokens] = 1
        self._vectors = np.zeros((n, vectors.shape[1]), np.float32)
        self._words: list[int] = []
        self._mass: list[float] = []  # probability of all candidates

    def add(self, word: int, stream: WeightedStream, p: np.ndarray) -> None:
        """Add the place before a word, where a stream is, and its distribution."""
        self._words.append(word)
        self._mass.append(float(p @ self._is_candidate))
        self._sums.add(stream)
        if len(self._sums) == BATCH:
            self.finish()

    def finish(self) -> np.ndarray:
        """The vectors of all words, (n, n_basis), float32.

        They are zeros at words that were not added, and if no word of the space is one token.
        """
        mass = np.array(self._mass, np.float32)[:, None]
        self._vectors[self._words] = self._sums.take() / np.where(mass > 0, mass, 1)
        self._words, self._mass = [], []
        return self._vectors


def _before_each(
    model: WeightedGIM, ids: np.ndarray, states: np.ndarray | None
) -> Iterator[WeightedStream]:
    """The stream before each token."""
    if len(ids):
        yield model.stream()
    for _, stream in model.walk(ids, np.arange(len(ids) - 1), states):
        yield stream


@lru_cache(maxsize=2)
def _candidates(tokenizer: Tokenizer, space: Eng1000) -> tuple[np.ndarray, np.ndarray]:
    """Tokens that are a whole word of a word space within a text, and the words' vectors."""
    texts = [token.decode("utf-8", "replace") for token in tokenizer.table]
    words = [text[1:] if text.startswith(" ") else "" for text in texts]
    tokens = np.flatnonzero(space.known(words))
    return tokens, space.vectors(words[token] for token in tokens)
