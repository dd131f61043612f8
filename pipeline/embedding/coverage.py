"""How many of a story's words a lexicon knows: features of the others are zeros."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np


class Lexicon(Protocol):
    """What words are looked up in, such as `pipeline.embedding.eng1000.Eng1000`."""

    @property
    def vocab(self) -> Sequence[str]:
        """The words in it."""

    def known(self, words: Iterable[str], /) -> np.ndarray:
        """Whether it says something of each word; bool, shape (n_words,)."""


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How many words of a story a lexicon knows.

    Parameters
    ----------
    n_tokens, known_tokens : int
        Words, and those of them that are known.
    n_types, known_types : int
        The same of different words.
    unknown : tuple of str
        The unknown ones, the most frequent first.
    """

    n_tokens: int
    known_tokens: int
    n_types: int
    known_types: int
    unknown: tuple[str, ...]

    @property
    def tokens(self) -> float:
        """Share of the words that are known; 1 if there are none."""
        return self.known_tokens / self.n_tokens if self.n_tokens else 1.0

    @property
    def types(self) -> float:
        """Share of the different words that are known; 1 if there are none."""
        return self.known_types / self.n_types if self.n_types else 1.0


def coverage(lexicon: Lexicon, words: Iterable[str]) -> Coverage:
    """How many of `words` the lexicon knows."""
    counts = Counter(words)
    known = dict(zip(counts, lexicon.known(counts).tolist(), strict=True))
    return Coverage(
        n_tokens=counts.total(),
        known_tokens=sum(n for word, n in counts.items() if known[word]),
        n_types=len(counts),
        known_types=sum(known.values()),
        unknown=tuple(word for word, _ in counts.most_common() if not known[word]),
    )
