"""Text in Unicode's composed form (NFC), by which equal words are equal."""

from __future__ import annotations

import unicodedata
from itertools import groupby

# On a letter, as Unicode's Stream-Safe Text Format has them; sorting more takes their square.
MOST_MARKS = 30


def composed(text: str) -> str:
    """The composed form of a text; one with more marks on a letter than any word has stays."""
    return text if _is_overloaded(text) else unicodedata.normalize("NFC", text)


def _is_overloaded(text: str) -> bool:
    if text.isascii():
        return False
    runs = groupby(text, key=lambda character: unicodedata.combining(character) > 0)
    return any(is_marks and sum(1 for _ in run) > MOST_MARKS for is_marks, run in runs)
