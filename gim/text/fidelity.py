"""Whether tokens spell the text that they came from, up to case and marks.

A tokenizer that cuts, drops or invents text gives an index or a training set that is sound in
itself, and wrong. A lossless tokenizer gives the text back; for the others letters and digits are
compared, without case, accents and forms of compatibility, and unknown tokens may stand for any.
"""

import unicodedata
from collections.abc import Iterator

from numpy.typing import NDArray

from gim.errors import InputError
from gim.text.tokenizer import Tokenizer

SHOWN = 40  # characters of a text in a message
SAMPLE = 100  # every so many documents, one is compared


class Fidelity:
    """Compares documents with their tokens: every hundredth, and each longer than all before it.

    The longest are those that a limit of the tokenizer would cut.

    Parameters
    ----------
    tokenizer : Tokenizer
        The one that made the tokens.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._seen = self._longest = 0

    def check(self, title: str, text: str, ids: NDArray) -> None:
        """Compare a document with its tokens, if it is one of the sample.

        Raises
        ------
        InputError
            When the tokens do not spell the text; it names the document.
        """
        wanted = self._seen % SAMPLE == 0 or len(text) > self._longest
        self._seen, self._longest = self._seen + 1, max(self._longest, len(text))
        if wanted and not spells(self._tokenizer, text, ids):
            spelt = self._tokenizer.decode(ids)
            raise InputError(
                f"document {title!r}: the {len(ids)} tokens of its {len(text)} characters do not "
                f"spell it (they end in {spelt[-SHOWN:]!r}, the text in {text[-SHOWN:]!r}): "
                f"tokenizer {self._tokenizer.name} cuts or changes text; use another, or mend it"
            )


def spells(tokenizer: Tokenizer, text: str, ids: NDArray) -> bool:
    """Whether the tokens spell the text, up to what the tokenizer normalises."""
    if tokenizer.decode(ids).removeprefix(" ") == text.removeprefix(" "):
        return True
    parts = [_fold(part) for part in _between_unknown(tokenizer, ids)]
    source = _fold(text)
    if len(parts) == 1:
        return parts[0] == source
    place = len(parts[0])
    if not (source.startswith(parts[0]) and source.endswith(parts[-1])):
        return False
    for part in parts[1:-1]:
        found = source.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return place + len(parts[-1]) <= len(source)


def _between_unknown(tokenizer: Tokenizer, ids: NDArray) -> Iterator[str]:
    """The text between tokens that spell nothing: special and unknown ones."""
    run: list[int] = []
    for i in ids:
        if tokenizer.table[i]:
            run.append(i)
        else:
            yield tokenizer.decode(run)
            run = []
    yield tokenizer.decode(run)


def _fold(text: str) -> str:
    """Letters and digits alone, without case, accents and forms of compatibility."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(filter(str.isalnum, plain))
