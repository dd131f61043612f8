"""Encoding a text word by word, each word once: what makes long texts quick to tokenise.

A byte-level BPE of GPT-2's kind splits a text into words and never merges across them, so that the
tokens of a word are the same wherever it stands. The library looks its words up, too, but spends
most of its time on splitting and on offsets that nobody asked for.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gim._kernels import hash_table
from gim._kernels import words as words_kernel

kernel: Any = words_kernel  # compiled functions carry no types
table: Any = hash_table
LONGEST = 256  # characters of a word that is remembered
CAPACITY = 1 << 22  # nodes of the trie, beyond which all words are forgotten before the next text
FIRST = 1 << 16
EMPTY = 2**64 - 1  # key of an empty slot of the hash table


class ByWords:
    """Encodes long texts as a ``tokenizers.Tokenizer`` does.

    Parameters
    ----------
    fast : tokenizers.Tokenizer
        A byte-level BPE that splits texts as GPT-2's does, without a normaliser.
    """

    def __init__(self, fast: Any) -> None:
        self._fast = fast
        spec = json.loads(fast.to_str())
        self._added = [token["content"] for token in spec.get("added_tokens", [])]
        self._classes = np.full(0x110000, words_kernel.UNSEEN, np.uint8)
        self._n_nodes = self._n_tokens = 0
        self._tokens = np.zeros(FIRST, np.int32)
        self._forget()

    def encode(self, text: str) -> NDArray[np.int64] | None:
        """Token ids of a text; None where the library must be asked.

        That is for half characters, added tokens, very long words, and words without a token.
        """
        try:
            points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        except UnicodeEncodeError:
            return None
        if any(token in text for token in self._added):
            return None
        self._classify(points)
        if self._n_nodes > CAPACITY:
            self._forget()
        nodes, unknown = np.empty(len(points), np.int32), np.empty((len(points), 3), np.int32)
        found = kernel.find_words(points, self._classes, *self._trie, nodes, unknown)
        n_words, n_unknown, n_tokens, longest = found
        if longest > LONGEST:
            return None
        if n_unknown:
            unknown = unknown[:n_unknown]
            spans = unknown[:, :2].tolist()
            self._learn(list(dict.fromkeys(text[begin:end] for begin, end in spans)))
            n_more = kernel.find_again(points, *self._trie, nodes, unknown)
            if n_more < 0:
                return None
            n_tokens += n_more
        ids = np.empty(n_tokens, np.int64)
        kernel.spell(nodes[:n_words], self._places, self._tokens, ids)
        return ids

    @property
    def _trie(self) -> Any:
        return self._keys, self._values, self._places

    def _classify(self, points: NDArray[np.uint32]) -> None:
        """Ask the library what it takes characters for that were not met before."""
        unseen = points[self._classes[points] == words_kernel.UNSEEN]
        for point in np.unique(unseen).tolist():
            character = chr(point)
            for before, kind in (
                ("a", words_kernel.LETTER),
                ("1", words_kernel.NUMBER),
                ("!", words_kernel.OTHER),
            ):
                if len(self._fast.pre_tokenizer.pre_tokenize_str(before + character)) == 1:
                    self._classes[point] = kind
                    break
            else:
                self._classes[point] = words_kernel.SPACE

    def _learn(self, words: Sequence[str]) -> None:
        self._grow(self._n_nodes + sum(map(len, words)))
        # One by one: batches start threads, and a process that forks after that is warned of them.
        encoded = [self._fast.encode(word, add_special_tokens=False).ids for word in words]
        begin, flat = self._n_tokens, [i for ids in encoded for i in ids]
        self._n_tokens += len(flat)
        if self._n_tokens > len(self._tokens):
            self._tokens = np.resize(self._tokens, 2 * self._n_tokens)
        self._tokens[begin : self._n_tokens] = flat
        for word, ids in zip(words, encoded, strict=True):
            points = np.frombuffer(word.encode("utf-32-le"), np.uint32)
            arrays = self._keys, self._values, self._n_nodes, self._places
            self._n_nodes = kernel.learn(points, *arrays, begin, len(ids))
            begin += len(ids)

    def _forget(self) -> None:
        self._keys, self._values = np.full(2 * FIRST, EMPTY, np.uint64), np.zeros(2 * FIRST, int)
        self._places, self._tokens = np.zeros((FIRST, 2), np.int32), np.zeros(FIRST, np.int32)
        self._n_nodes, self._n_tokens = 1, 0

    def _grow(self, nodes: int) -> None:
        """Make room for so many nodes."""
        size = len(self._places)
        while size < nodes:
            size *= 2
        if size > len(self._places):
            keys, values = np.full(2 * size, EMPTY, np.uint64), np.zeros(2 * size, int)
            table.rehash(self._keys, self._values, keys, values)
            places = np.zeros((size, 2), np.int32)
            places[: len(self._places)] = self._places
            self._keys, self._values, self._places = keys, values, places
