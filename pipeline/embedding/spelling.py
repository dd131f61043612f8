"""How the words of a vocabulary are spelt: as stories spell theirs, or in a way that finds none."""

from __future__ import annotations

import re
from collections.abc import Sequence

MOST = 0.5  # share of a vocabulary; some words may look so in any (an address, `_AB`)
SPELLINGS = {
    "written as Python's bytes": re.compile(r"b(['\"]).*\1", re.DOTALL),
    "in quotation marks": re.compile(r"(['\"]).+\1", re.DOTALL),
    "padded with blanks or ends of line": re.compile(r"\s.*|.*\s", re.DOTALL),
    "tagged with their part of speech": re.compile(r".+[_/|][A-Z]{1,5}\$?"),
    "marked as pieces of a tokenizer": re.compile("[\u0120\u2581].*|##.+"),
    "addresses of ConceptNet": re.compile(r"/c/[a-z]{2,3}/.+"),
}


def spelt_otherwise(vocab: Sequence[str]) -> str | None:
    """Say in which way most words are spelt that no story's words are; None if they are not.

    Parameters
    ----------
    vocab : sequence of str
        The words of a lexicon.
    """
    for how, pattern in SPELLINGS.items():
        found = [word for word in vocab if pattern.fullmatch(word)]
        if len(found) > MOST * len(vocab):
            return (
                f"{len(found)} of {len(vocab)} words are {how}, as {found[0]!r}: no story will "
                "find them"
            )
    return None
