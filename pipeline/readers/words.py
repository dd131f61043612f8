"""What is a word in a transcript, and times that can be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from pipeline.core.errors import Problem, ProblemError
from pipeline.readers.composed import composed
from pipeline.readers.entries import Entries
from pipeline.readers.lengths import check_lengths

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["word", "onset", "offset"]
# Silences, breaths, lip smacks, laughs and noises as the transcripts of ds003020 write them when
# they do not put them in braces.
MARKERS = frozenset(
    ["sp", "sil", "spn", "br", "lg", "ls", "ns", "cg", "sentence_start", "sentence_end"]
)
MOST_SPACED = 0.5  # share of labels; some stand for a name of two words
OVERLAP_TOLERANCE = 1e-4  # seconds; aligners round the times of neighbours differently

_BRACKETED = re.compile(r"[\[{(<].*?[\]})>]")
_CLOSING = "])}>"
_STRAY_BRACKET = re.compile(r"[\[\]{}()<>]")
_PUNCTUATION = frozenset('",;:!? \t\n')  # the apostrophes and points of ASCII belong to words


def _clean(label: str, markers: Collection[str]) -> str:
    """The word in a label, or an empty string where it is a marker or has no letter or digit.

    Lower case, in Unicode's composed form, without brackets and the punctuation around it, which is
    the form that markers are compared in.
    """
    label = _bare("\n".join(map(_without_bracketed, label.split("\n"))))
    is_word = label not in markers and any(character.isalnum() for character in label)
    return label if is_word else ""


def _without_bracketed(line: str) -> str:
    """A line without what stands in brackets; brackets that nothing closes are not looked for."""
    end = max(map(line.rfind, _CLOSING)) + 1
    return _BRACKETED.sub("", line[:end]) + line[end:]


def _bare(label: str) -> str:
    """A label in lower case and composed form, without brackets and punctuation around it."""
    label = composed(label).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").lower()
    return _stripped(_STRAY_BRACKET.sub("", label))


def _stripped(label: str) -> str:
    """A label without the punctuation around it, of whatever script."""
    inner = [i for i, character in enumerate(label) if not _is_punctuation(character)]
    return label[inner[0] : inner[-1] + 1] if inner else ""


def _is_punctuation(character: str) -> bool:
    if character.isascii():
        return character in _PUNCTUATION
    return unicodedata.category(character).startswith("P")


def _check_single(entries: Entries, words: pd.Series) -> None:
    """Raise if most labels hold blanks: sentences, of which no feature of words can be made."""
    several = words[words.str.contains(r"\s")]
    if len(several) > MOST_SPACED * len(words):
        what = f"{len(several)} of {len(words)} labels are of several words: these are sentences"
        remedy = "give each word a label with its times; name their tier in `transcripts.tier`"
        raise ProblemError(entries.problem(several.index[0], what, remedy))


def word_table(
    entries: Entries,
    labels: list[str],
    times: tuple[np.ndarray, np.ndarray],
    start: float,
    markers: Collection[str],
) -> pd.DataFrame:
    """Words with onsets and offsets from the start of the sound; labels that are none are dropped.

    Parameters
    ----------
    entries : Entries
        Where they were read, for the error message.
    labels : list of str
        As transcribed.
    times : tuple of two arrays of shape (n_labels,)
        Starts and ends, seconds on the transcript's clock.
    start : float
        When the sound starts on that clock, seconds.
    markers : collection of str
        Labels that are no words.

    Returns
    -------
    DataFrame of n_words rows
        By ascending onset.

    Raises
    ------
    ProblemError
        If no word is left, if most labels are of several words, or if words last as long as none
        do.
    """
    import pandas as pd  # slow to import

    onset, offset = (t - start for t in times)
    known = {_bare(marker) for marker in markers}  # `[SIL]`, `SIL` and `sil` are one
    words = pd.DataFrame(
        {"word": [_clean(label, known) for label in labels], "onset": onset, "offset": offset},
        columns=COLUMNS,
    )
    words = words[words["word"] != ""].sort_values("onset", kind="stable")
    if words.empty:
        what = "it holds no words"
        raise ProblemError(Problem(entries.path, entries.place, what, "check the transcript"))
    _check_single(entries, words["word"])
    check_lengths(entries, words)
    return words.reset_index(drop=True)
