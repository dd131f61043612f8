"""Pieces of equal length from the documents of some files."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gim.errors import InputError
from gim.text.corpus import read_documents
from gim.text.tokenizer import Tokenizer

CHARACTERS = 16  # of a token, at most, on average


def read_pieces(
    paths: Sequence[str | Path], tokenizer: Tokenizer, length: int, n: int
) -> list[NDArray[np.int64]]:
    """The first pieces of documents, then the second ones, and so on, from each file in turn.

    Parameters
    ----------
    paths : sequence of paths
        Of text or JSONL, see `gim.text.corpus.read_documents`.
    length : int
        Tokens of a piece.
    n : int
        Number of pieces.

    Raises
    ------
    InputError
        When there are not so many.
    """
    if length < 2 or n < 1:
        raise InputError(f"{n} pieces of {length} tokens: give at least one of two tokens")
    found: list[tuple[tuple[int, int, int], NDArray[np.int64]]] = []
    for file, path in enumerate(paths):
        texts = (document.text[: CHARACTERS * length * n] for document in read_documents([path]))
        encoded = (tokenizer.encode(text) for text in texts)
        long = islice((ids for ids in encoded if len(ids) >= length), n)
        for document, ids in enumerate(long):
            for number in range(min(n, len(ids) // length)):
                piece = ids[number * length : (number + 1) * length]
                found.append(((number, document, file), piece))
    if len(found) < n:
        raise InputError(
            f"{', '.join(map(str, paths))}: {len(found)} of the {n} pieces of {length} tokens that "
            "are wanted; give longer texts, or ask for fewer or shorter pieces"
        )
    return [piece for _, piece in sorted(found, key=lambda item: item[0])[:n]]
