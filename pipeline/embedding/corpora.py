"""Text corpora as documents and as words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from gim import errors
from gim.text.corpus import read_documents
from pipeline.core.errors import Problem, ProblemError

# Numbers are tokens too, so that they keep their place among the words, as when they are spoken.
TOKEN = re.compile(r"\w+(?:'\w+)*")


def documents(path: Path) -> Iterator[str]:
    """Texts of a corpus (see `gim.text.corpus.read_documents`), one after the other.

    Raises
    ------
    ProblemError
        If the file is missing, damaged or empty, or a line is not a JSON object with a "text".
    """
    remedy = "check the path, and fetch or copy the file again"
    empty = True
    try:
        for document in read_documents([path]):
            empty = False
            yield document.text
    except errors.InputError as error:
        what = str(error).removeprefix(str(path)).lstrip(":, ")
        raise ProblemError(Problem(path, "", what, remedy)) from error
    if empty:  # all that a reader of .zst says of a file cut in its first block
        raise ProblemError(Problem(path, "", "it is empty or truncated", remedy))


def fold(text: str) -> str:
    """Lower case, with plain apostrophes."""
    return text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def tokenise(text: str) -> list[str]:
    """Words of a text as story transcripts have them: lower case, no punctuation but inner '.

    >>> tokenise("“I don’t,” she said--_twice_.")
    ['i', "don't", 'she', 'said', 'twice']
    """
    return TOKEN.findall(fold(text).replace("_", " "))
