"""Encoding whole corpora: byte-level BPE by ``tiktoken``, whose ids are the same.

It takes a seventh of the time that the Hugging Face library takes. What it gives is the same for
every text, if every token's own bytes are spelt by that token alone: BPE merges what lies between
the borders of two tokens as if nothing were around it, so two neighbours whose bytes together are a
token were merged already. That is so for vocabularies that were learnt; others are not given to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gim.text.tokenizer import Tokenizer

Encode = Callable[[str], NDArray[np.int64]]

# GPT-2's words: contractions; letters, digits or other signs after a space at most; spaces. With
# possessive repeats, which find the same and cannot run out of steps.
WORDS = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
PLAIN_MODEL: dict[str, Any] = {
    "type": "BPE",
    "dropout": None,
    "continuing_subword_prefix": "",
    "end_of_word_suffix": "",
    "byte_fallback": False,
    "ignore_merges": False,
}
PLAIN_WORDS = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}


def bulk_encoder(tokenizer: Tokenizer) -> Encode:
    """`Tokenizer.encode`, or what gives the same ids in less time.

    Parameters
    ----------
    tokenizer : Tokenizer
        Any; gained is something where it is byte-level BPE as GPT-2's, and the package
        ``tiktoken`` (the extra ``index``) is installed.
    """
    if tokenizer.fast is None or not find_spec("tiktoken"):
        return tokenizer.encode
    spec = json.loads(tokenizer.fast.to_str())
    ranks = _ranks(spec, tokenizer)
    return _encoder(spec, tokenizer, ranks) if ranks else tokenizer.encode


def _ranks(spec: dict, tokenizer: Tokenizer) -> dict[bytes, int] | None:
    """Tokens by the order in which they are merged; None if that does not say how text is spelt."""
    words = spec["pre_tokenizer"] or {}
    plain = all((spec["model"].get(k) or v) == v for k, v in PLAIN_MODEL.items())
    plain &= all(words.get(k) == v for k, v in PLAIN_WORDS.items())
    if not plain or spec["normalizer"] is not None:
        return None
    vocabulary, table = spec["model"]["vocab"], tokenizer.table
    merges = [
        merge.split(" ") if isinstance(merge, str) else merge for merge in spec["model"]["merges"]
    ]
    pieces = ["".join(merge) for merge in merges]
    tokens = [bytes([b]) for b in range(256)] + [table[vocabulary[piece]] for piece in pieces]
    ranks = {token: rank for rank, token in enumerate(tokens)}
    if len(ranks) < len(tokens) or not ranks.keys() <= set(table):
        return None
    alone = (tokenizer.fast.model.tokenize(piece) for piece in pieces)
    return ranks if all(len(spelt) == 1 for spelt in alone) else None


def _encoder(spec: dict, tokenizer: Tokenizer, ranks: dict[bytes, int]) -> Encode:
    import tiktoken

    places = {token: i for i, token in enumerate(tokenizer.table)}
    ids = np.array([places[token] for token in ranks], np.int64)
    quick = tiktoken.Encoding(
        tokenizer.name, pat_str=WORDS, mergeable_ranks=ranks, special_tokens={}
    )
    added = "|".join(re.escape(token["content"]) for token in spec["added_tokens"])
    special = re.compile(added) if added else None

    def encode(text: str) -> NDArray[np.int64]:
        if special and special.search(text):
            return tokenizer.encode(text)
        try:
            return ids[quick.encode_to_numpy(text, disallowed_special=())]
        except UnicodeEncodeError:  # half a character, of which the other has more to say
            return tokenizer.encode(text)

    return encode
