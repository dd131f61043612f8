"""GIM's features as scikit-learn transformers: stories in, a row a word out.

A story is a list of words; ``transform`` takes a list of stories and gives a list of arrays, or
with ``stack`` one array, the stories on end. Nothing is learned of the stories: ``fit`` only loads
what is needed. Models are loaded once a process and are not part of a pickle.

>>> InductionFeatures().fit_transform([["we", "went", "to", "the", "sea"]])[0].shape
(5, 11)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags

from gim.encoder.encoder import Encoder
from gim.encoder.stream import Output
from gim.errors import InputError
from gim.induction.columns import COLUMNS, columns
from gim.induction.reading import read
from gim.text.words import join_words
from gim.weighing.model import WeightedGIM
from gim.weighing.reading import read_words
from gim.weighing.weights import SOURCES

Stories = Iterable[Sequence[str]]

load_encoder = cache(Encoder.from_pretrained)
load_weighing = cache(WeightedGIM.from_files)


class WordFeatures(TransformerMixin, BaseEstimator, ABC):
    """What the transformers here share.

    A subclass says what a story gives (`rows`), its columns (`names`), and what it must load.
    """

    stack: bool

    def fit(self, X: Stories, y: Any = None) -> WordFeatures:
        """Load what is needed, and look whether these are stories; nothing is learned of them.

        Raises
        ------
        InputError
            If a file is missing or damaged, or X is not a list of lists of words.
        """
        self.load()
        words_of(X)
        return self

    def transform(self, X: Stories) -> list[NDArray[Any]] | NDArray[Any]:
        """Features of stories.

        Parameters
        ----------
        X : iterable of sequences of str
            The words of each story, as spoken.

        Returns
        -------
        list of arrays of shape (n_words, n_features)
            One a story; with `stack` one array of shape (n_words of all stories, n_features).

        Raises
        ------
        InputError
            If X is not a list of lists of words.
        """
        found = [self.rows(words) for words in words_of(X)]
        return np.concatenate(found) if self.stack else found

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the columns; `input_features` are ignored, as words have none."""
        return np.array(self.names(), dtype=object)

    @abstractmethod
    def load(self) -> Any:
        """The model that is needed, loaded once a process."""

    @abstractmethod
    def rows(self, words: list[str]) -> NDArray[Any]:
        """Features of a story, array of shape (n_words, n_features)."""

    @abstractmethod
    def names(self) -> list[str]:
        """Names of the columns."""

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        tags.requires_fit = False
        tags.no_validation = True
        return tags


class InductionFeatures(WordFeatures):
    """What a reader who copies from the story so far makes of every word.

    Surprisal, entropy, length and lag of the match, repeated words, bigrams and trigrams
    (`gim.induction.columns.COLUMNS`); GIM's Eq. 5 on words (Kim, Mantena et al. 2025). A word's row
    is about the moment before it was heard, but for whether it is a repetition.

    Parameters
    ----------
    encoder : str, optional
        Folder of a saved encoder, whose states are compared; by default the shipped one.
    tau : int
        Words in a row from which an exact match is trusted more than similar places.
    stack : bool
        One array for all stories, not one each.
    """

    def __init__(self, encoder: str | None = None, tau: int = 2, stack: bool = False) -> None:
        self.encoder = encoder
        self.tau = tau
        self.stack = stack

    def load(self) -> Encoder:
        """The encoder."""
        return load_encoder(self.encoder)

    def rows(self, words: list[str]) -> NDArray[np.float64]:
        """The columns of a story, array of shape (n_words, n_features)."""
        return columns(read(words, self.load(), self.tau))

    def names(self) -> list[str]:
        """Names of the columns."""
        return list(COLUMNS)


class WeighedFeatures(WordFeatures):
    """What a reader who weighs all evidence, and may know a corpus, expects of every word.

    Surprisal and entropy in nats, and how much of the word's probability each source gave
    (`gim.weighing.weights.SOURCES`).

    Parameters
    ----------
    index : str, optional
        Folder that ``gim index`` wrote; by default no corpus is known, only the story so far.
    tokenizer : str, optional
        The index's; by default the shipped one.
    encoder : str, optional
        Folder of a saved encoder; by default the shipped one.
    weights : str, optional
        File of ``gim tune``; by default the shipped ones.
    stack : bool
        One array for all stories, not one each.
    """

    def __init__(
        self,
        index: str | None = None,
        tokenizer: str | None = None,
        encoder: str | None = None,
        weights: str | None = None,
        stack: bool = False,
    ) -> None:
        self.index = index
        self.tokenizer = tokenizer
        self.encoder = encoder
        self.weights = weights
        self.stack = stack

    def load(self) -> WeightedGIM:
        """The model that weighs."""
        return load_weighing(self.index, self.tokenizer, self.encoder, self.weights)

    def rows(self, words: list[str]) -> NDArray[np.float64]:
        """The columns of a story, array of shape (n_words, n_features)."""
        found = read_words(self.load(), words)
        return np.column_stack([found.surprisal, found.entropy, found.shares])

    def names(self) -> list[str]:
        """Names of the columns."""
        return ["surprisal", "entropy", *(f"share of {source}" for source in SOURCES)]


class EncoderFeatures(WordFeatures):
    """States of GIM's encoder after every word: what leads to the same next words lies close.

    Parameters
    ----------
    encoder : str, optional
        Folder of a saved encoder; by default the shipped one.
    output : {"vectors", "states"}
        Unit vectors, or the foretold states of its teacher, where it was taught any.
    stack : bool
        One array for all stories, not one each.
    """

    def __init__(
        self, encoder: str | None = None, output: Output = "vectors", stack: bool = False
    ) -> None:
        self.encoder = encoder
        self.output = output
        self.stack = stack

    def load(self) -> Encoder:
        """The encoder."""
        return load_encoder(self.encoder)

    def rows(self, words: list[str]) -> NDArray[np.float32]:
        """The encoder's states, array of shape (n_words, n_features)."""
        return self.load().vectors(*join_words(words), self.output)

    def names(self) -> list[str]:
        """Numbers, as nobody can read what a dimension means."""
        return [f"encoder {i + 1}" for i in range(self.load().size(self.output))]


def words_of(stories: Stories) -> list[list[str]]:
    """Stories as lists of words.

    Raises
    ------
    InputError
        If they are something else; it says which and what.
    """
    if isinstance(stories, str) or not isinstance(stories, Iterable):
        raise InputError(f"X is {stories!r:.40}; give a list of stories, each a list of words")
    return [_words(story, i) for i, story in enumerate(stories)]


def _words(story: Any, number: int) -> list[str]:
    """The words of a story."""
    if isinstance(story, str) or not isinstance(story, Iterable):
        what, remedy = f"story {number} is {story!r:.40}", "each story must be a list of words"
        raise InputError(f"{what}; {remedy}: give [words] for a single one, text.split() for text")
    words = list(story)
    for i, word in enumerate(words):
        if not isinstance(word, str):
            raise InputError(f"story {number}, word {i} is {word!r:.40}, which is no word (str)")
    return [str(word) for word in words]
