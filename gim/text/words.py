"""Spoken words as text: how a list of words is joined, and which token ends each word."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gim.errors import InputError
from gim.text.tokenizer import Tokenizer


def join_words(words: Sequence[str]) -> tuple[str, NDArray[np.int64]]:
    """Words separated by single spaces, and the character offset at which each word ends.

    Returns
    -------
    text : str
    ends : int array of shape (n_words,)
        ``text[: ends[i]]`` ends with word i.
    """
    lengths = np.array([len(word) for word in words], np.int64)
    return " ".join(words), np.cumsum(lengths + 1) - 1


def tokens_of_words(
    tokenizer: Tokenizer, words: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token ids of the joined words, and the index of each word's last token.

    Tokens are placed by the text they stand for, so that byte-level and SentencePiece tokenizers
    (which begin with a space of their own) are treated alike.

    Returns
    -------
    ids : int array of shape (n_tokens,)
    last : int array of shape (n_words,)

    Raises
    ------
    InputError
        When the tokens do not spell the words, so that none can be placed.
    """
    text, ends = join_words(words)
    ids = tokenizer.encode(text)
    spelt, token_ends = tokenizer.text_and_ends(ids)
    shift = len(spelt) - len(text)
    if shift not in (0, 1) or spelt[shift:] != text:
        raise InputError(
            f"tokenizer {tokenizer.name} changes the text {text[:40]!r}...: its tokens cannot be "
            "assigned to words; use a byte-level or SentencePiece tokenizer"
        )
    return ids, np.searchsorted(token_ends, ends + shift)
