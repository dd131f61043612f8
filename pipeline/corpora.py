"""Text corpora, one JSON document a line, as documents and as words."""

from __future__ import annotations

import gzip
import json
import lzma
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import zstandard

from pipeline.errors import InputError, Problem

DAMAGE = (
    OSError,
    EOFError,
    UnicodeDecodeError,
    lzma.LZMAError,
    zlib.error,
    zstandard.ZstdError,
)
# Numbers are tokens too, so that they keep their place among the words, as when they are spoken.
TOKEN = re.compile(r"\w+(?:'\w+)*")


def documents(path: Path) -> Iterator[str]:
    """Texts of a JSONL file, one after the other.

    Raises
    ------
    InputError
        If the file is missing, damaged or empty, or a line is not a JSON object with a "text".
    """
    number = 0
    try:
        with _open(path) as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _text(path, number, line)
        if number == 0:  # all that a reader of .zst says of a file cut in its first block
            raise EOFError("it is empty or truncated")
    except DAMAGE as error:
        place = f"after line {number}" if number else ""
        remedy = "check the path, and fetch or copy the file again"
        raise InputError(Problem(path, place, f"cannot be read ({error})", remedy)) from error


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    if path.suffix == ".xz":
        return lzma.open(path, "rt", encoding="utf-8")
    if path.suffix == ".zst":
        return zstandard.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _text(path: Path, number: int, line: str) -> str:
    try:
        text = json.loads(line)["text"]
        if isinstance(text, str):
            return text
    except (ValueError, KeyError, TypeError):
        pass
    raise InputError(
        Problem(path, f"line {number}", 'not a JSON object with a "text"', "mend or drop the line")
    )


def fold(text: str) -> str:
    """Lower case, with plain apostrophes."""
    return text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def tokenise(text: str) -> list[str]:
    """Words of a text as story transcripts have them: lower case, no punctuation but inner '.

    >>> tokenise("“I don’t,” she said--_twice_.")
    ['i', "don't", 'she', 'said', 'twice']
    """
    return TOKEN.findall(fold(text).replace("_", " "))
