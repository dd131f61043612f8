"""Lexicon: frequency, length, sounds, affect, concreteness, senses and categories of words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.dataset.story import Story
from pipeline.embedding.eng1000 import fold
from pipeline.features.base import Kind
from pipeline.readers.norms import Norms, read_norms, source


@dataclass(frozen=True)
class WordNorms:
    """Several sources side by side, as a lexicon (`pipeline.embedding.coverage`)."""

    norms: tuple[Norms, ...]

    @property
    def columns(self) -> list[str]:
        """What the numbers mean."""
        return [name for norms in self.norms for name in norms.columns]

    @property
    def vocab(self) -> Sequence[str]:
        """Words of those sources that do not know every word."""
        return list(dict.fromkeys(w for n in self.norms if n.absent is None for w in n.vocab))

    def values(self, words: Iterable[str]) -> np.ndarray:
        """Numbers of words, (n_words, n_columns); NaN where a source does not know a word."""
        folded = [fold(word) for word in words]
        types = {word: i for i, word in enumerate(dict.fromkeys(folded))}
        table = np.concatenate([norms.values(types) for norms in self.norms], axis=1)
        return table[[types[word] for word in folded]]

    def known(self, words: Iterable[str]) -> np.ndarray:
        """Whether every source knows each word; bool, shape (n_words,)."""
        return np.asarray(~np.isnan(self.values(words)).any(axis=1))


@lru_cache(maxsize=4)
def _read_table(path: str, changed: int | None) -> Norms:
    return read_norms(path)


def lexicon(options: Mapping[str, Any]) -> WordNorms:
    """The sources that the options name, and the user's table if there is one."""
    own = options["language"], options["pronunciations"]
    found = [source(name, *own) for name in options["sources"]]
    if path := options["table"]:
        changed = Path(path).stat().st_mtime_ns if Path(path).is_file() else None
        found.append(_read_table(str(path), changed))
    return WordNorms(tuple(found))


def compute(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """Norms of the words about their means over the story, (n_rows, n_columns).

    About its mean a column does not say again how many words there are; a word that a source does
    not know is 0, the mean of the others.
    """
    values = lexicon(options).values(story.words["word"])
    known = ~np.isnan(values)
    values = np.where(known, values, 0.0)
    values -= known * (values.sum(axis=0) / np.maximum(known.sum(axis=0), 1))
    return story.to_rows(values, options["downsample"])


KIND = Kind(
    "lexicon",
    "stimulus",
    compute,
    zscore="story",
    options={
        "downsample": "lanczos",
        "sources": ("letters", "frequency", "sounds", "affect", "concreteness", "senses"),
        "table": None,
        "pronunciations": None,
        "language": "en",
    },
    lexicon=lexicon,
    columns=lambda options: lexicon(options).columns,
)
