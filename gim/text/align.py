"""Aligning an encoder's tokens with a language model's by character offsets.

The state at an offset is that of the *prefix text*, tokenised by the encoder's own tokenizer and
read at its last token. Looking up the tokens of the whole text instead would leak: how a word is
split depends on its later letters. So the tokens form a tree. Its trunk is the whole text; where
a prefix ends inside a word and is split in another way, a short branch leaves the trunk.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gim.errors import InputError
from gim.text.tokenizer import Tokenizer

CACHED_WORDS = 1 << 17


@dataclass
class TokenTree:
    """Encoder tokens of a text and of its prefixes.

    Attributes
    ----------
    n_trunk : int
    ids : int array of shape (n_nodes,)
        The first ``n_trunk`` nodes are the tokens of the whole text, in order.
    parent : int array of shape (n_nodes,)
        The token before; -1 at the beginning of the text. A parent comes before its children.
    trunk_of : int array of shape (n_nodes,)
        The last trunk node at or before the node (-1: the branch leaves at the beginning). It
        never falls within the trunk or within the branches.
    node_at : int array of shape (n_ends,)
        The last token of each prefix; -1 for a prefix of no token.
    """

    n_trunk: int
    ids: NDArray[np.int64]
    parent: NDArray[np.int64]
    trunk_of: NDArray[np.int64]
    node_at: NDArray[np.int64]


class Segmenter:
    """Splits texts into encoder tokens with the character offsets at which tokens end.

    Parameters
    ----------
    tokenizer : Tokenizer
        One with GPT-2's way of splitting text into words before subwords. There, the words of a
        prefix are those of the text, but for the one that the prefix cuts and for white space at
        its end, which is one word however it is split when more text follows.

    Raises
    ------
    InputError
        For any other kind of tokenizer.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        fast = tokenizer.fast
        spec = json.loads(fast.to_str()) if fast is not None else {}
        splitter = spec.get("pre_tokenizer") or {}
        if splitter.get("type") != "ByteLevel" or splitter["add_prefix_space"]:
            raise InputError(
                f"tokenizer {tokenizer.name} cannot serve an encoder, which needs a byte-level one "
                'without prefix space; use "default" or GPT-2\'s'
            )
        if spec.get("normalizer") is not None:
            raise InputError(f"tokenizer {tokenizer.name} changes the text before splitting it")
        self.tokenizer = tokenizer
        self._words = fast.pre_tokenizer.pre_tokenize_str
        self._cache: dict[str, list[int]] = {}

    def word_starts(self, text: str) -> list[int]:
        """Character offsets at which the words begin, ascending, from 0."""
        return [start for _, (start, _) in self._words(text)] or [0]

    def encode(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Ids, and for each the number of characters that are complete after it."""
        ids = self.tokenizer.encode(text)
        return ids, self.tokenizer.text_and_ends(ids)[1]

    def encode_word(self, word: str) -> list[int]:
        """Ids of a word or the beginning of one, with a memory."""
        if word not in self._cache:
            if len(self._cache) >= CACHED_WORDS:
                self._cache.clear()
            self._cache[word] = self.tokenizer.encode(word).tolist()
        return self._cache[word]

    def recent(self, text: str, tokens: int) -> str:
        """The end of ``text``, from a word on, that holds at least ``tokens`` tokens."""
        starts = self.word_starts(text)
        # A word has a token at least; white space at the end may still merge, so it is not counted.
        solid = [i for i, at in enumerate(starts) if not text[at:][:2].isspace()]
        return text[starts[solid[-tokens]] :] if len(solid) > tokens else text

    def settle(self, text: str, words: int) -> tuple[str, int]:
        """Drop what more text cannot change.

        Returns
        -------
        kept : str
            The end of ``text`` from a word on, at least so many words (white space not counted).
        dropped : int
            Number of tokens before it.
        """
        kept = self.recent(text, words)
        if len(kept) == len(text):
            return text, 0
        _, ends = self.encode(text)
        # The token that completes the character before a word is the last one of the word before.
        return kept, int(np.searchsorted(ends, len(text) - len(kept))) + 1


def build_tree(text: str, ends: Sequence[int] | NDArray, segmenter: Segmenter) -> TokenTree:
    """Token tree of a text with a node for each of its prefixes ``text[:end]``.

    Parameters
    ----------
    ends : ascending int array of shape (n_ends,)
        Character offsets, such as those of `gim.text.tokenizer.Tokenizer.text_and_ends`.
    """
    starts = segmenter.word_starts(text)
    trunk_ids, trunk_ends = segmenter.encode(text)
    # The token that completes the character before a word is the last one of the word before.
    first = np.searchsorted(trunk_ends, starts, side="left") + 1
    first[0] = 0
    ends = np.asarray(ends, np.int64)
    words = np.searchsorted(starts, ends, side="left") - 1
    ids = trunk_ids.tolist()
    n_trunk = len(ids)
    parent, trunk_of, node_at = list(range(-1, n_trunk - 1)), list(range(n_trunk)), []
    last_end, node = 0, -1
    for end, word in zip(ends.tolist(), words.tolist(), strict=True):
        if end != last_end:
            while word > 0 and text[starts[word] : end].isspace():
                if not text[starts[word - 1] : starts[word]].isspace():
                    break
                word -= 1
            tail, at = segmenter.encode_word(text[starts[word] : end]), int(first[word])
            same = 0
            while same < len(tail) and at + same < n_trunk and tail[same] == ids[at + same]:
                same += 1
            node = at + same - 1
            for token in tail[same:]:
                ids.append(token)
                parent.append(node)
                trunk_of.append(at + same - 1)
                node = len(ids) - 1
            last_end = end
        node_at.append(node)
    tree = (np.array(values, np.int64) for values in (ids, parent, trunk_of, node_at))
    return TokenTree(n_trunk, *tree)
