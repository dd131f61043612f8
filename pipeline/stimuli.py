"""Story transcripts: the words of Praat TextGrids with their onsets and offsets.

praatio parses both text formats of Praat, long and short. What it passes over (a file that is cut
off, intervals that run backwards, minus signs) is checked here, so that a fault in a transcript is
named instead of becoming a wrong feature.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from praatio.utilities.constants import INTERVAL_TIER
from praatio.utilities.errors import PraatioException
from praatio.utilities.textgrid_io import parseTextgridStr

from pipeline.dataset import Dataset
from pipeline.errors import InputError, Problem
from pipeline.validation.files import file_problem

COLUMNS = ["word", "onset", "offset"]
# Silences, breaths, lip smacks, laughs and noises as the dataset's transcripts write them when
# they do not put them in braces.
MARKERS = frozenset(
    ["sp", "sil", "spn", "br", "lg", "ls", "ns", "cg", "sentence_start", "sentence_end"]
)
OVERLAP_TOLERANCE = 1e-4  # seconds; aligners round the times of neighbours differently
MAX_FAULTS = 10  # faults of one kind listed per file

_BRACKETED = re.compile(r"[\[{(<].*?[\]})>]")
_STRAY_BRACKET = re.compile(r"[\[\]{}()<>]")
_PUNCTUATION = '",;:!? \t\n'
_WORD_TIER = re.compile(r"(?<![a-z])words?(?![a-z])", re.IGNORECASE)
_PHONE_TIER = re.compile(r"phon", re.IGNORECASE)
_TIER_COUNT = re.compile(r"<exists>\s*(?:size\s*=\s*)?(\d+)")
_ENTRY_COUNT = re.compile(
    r"(?:intervals|points):\s*size\s*=\s*(\d+)"  # long format
    r'|"(?:IntervalTier|TextTier)"\s+"(?:[^"]|"")*"\s+\S+\s+\S+\s+(\d+)'  # short format
)
_LONG_ENTRY = re.compile(
    r"(?:intervals|points) ?\[(\d+)\]:?\s+"
    r"(?:xmin ?= ?-?[\d.]+\s+xmax ?= ?[\d.]+\s+text|number ?= ?-?[\d.]+\s+mark)"
    r' ?= ?"(?:[^"]|"")*"\s*\Z'
)
_NEGATIVE_TIME = re.compile(r"^\s*(?:xmin|xmax|number) ?= ?-[\d.]*[1-9].*$", re.MULTILINE)
_SAVE_AGAIN = "fetch the file again, or open and save it in Praat (text file, UTF-8)"


def read_textgrid(path: str | Path) -> pd.DataFrame:
    """Read the words of a TextGrid.

    The word tier is the first interval tier whose name says so, or else the second tier, as in
    ds003020. Markers of silence and noise, and whatever stands in brackets, are not words.

    Parameters
    ----------
    path : str or Path
        TextGrid in Praat's long or short text format, UTF-8 or UTF-16 with a byte-order mark.

    Returns
    -------
    DataFrame of n_words rows
        `word` (lower case), `onset` and `offset` (float64, seconds from the start of the sound),
        by ascending onset.

    Raises
    ------
    InputError
        If the file is missing, not fetched, truncated, not decodable or no TextGrid, or if its
        word tier is missing, holds no words or has reversed or overlapping intervals.
    """
    path = Path(path)
    text = _read_text(path)
    number, tier = _word_tier(path, _parse(path, text))
    place = f"tier {number} {tier['name']!r}"
    labels = [_clean(entry[-1]) for entry in tier["entries"]]
    onset, offset = _times(path, place, tier["entries"])
    words = pd.DataFrame({"word": labels, "onset": onset, "offset": offset}, columns=COLUMNS)
    words = words[words["word"] != ""].sort_values("onset", kind="stable", ignore_index=True)
    if words.empty:
        raise InputError(Problem(path, place, "the tier holds no words", "check the transcript"))
    return words


def read_stories(dataset: Dataset, stories: Iterable[str]) -> pd.DataFrame:
    """Read the words of several stories.

    Parameters
    ----------
    dataset : Dataset
        Where the TextGrids are.
    stories : iterable of str
        Names of stories, in the order wanted.

    Returns
    -------
    DataFrame of n_words rows
        `story`, `word`, `onset` and `offset` (seconds from the start of the story's sound).

    Raises
    ------
    InputError
        With the faults of all the stories' TextGrids.
    """
    tables: list[pd.DataFrame] = []
    problems: list[Problem] = []
    for story in stories:
        try:
            words = read_textgrid(dataset.textgrid(story))
        except InputError as error:
            problems += error.problems
        else:
            words.insert(0, "story", story)
            tables.append(words)
    if problems:
        raise InputError(problems)
    if not tables:
        return pd.DataFrame(columns=["story", *COLUMNS])
    return pd.concat(tables, ignore_index=True)


def _clean(label: str) -> str:
    """The word in an interval's label, or an empty string where it is a marker."""
    label = label.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").lower()
    label = _STRAY_BRACKET.sub("", _BRACKETED.sub("", label)).strip(_PUNCTUATION)
    is_word = label not in MARKERS and any(character.isalnum() for character in label)
    return label if is_word else ""


def _read_text(path: Path) -> str:
    """The text of a TextGrid file, whichever its encoding."""
    problem = file_problem(path)
    if problem:
        raise InputError(problem)
    raw = path.read_bytes()
    is_utf16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if is_utf16 else "utf-8-sig"
    try:
        text = raw.decode(encoding)
        undecodable = text.find("\0")  # UTF-16 without its mark decodes as UTF-8 full of these
    except UnicodeDecodeError as error:
        text, undecodable = "", error.start
    if undecodable >= 0:
        line = raw[:undecodable].count(b"\n") + 1
        what = "the bytes are neither UTF-8 nor UTF-16 with a byte-order mark"
        raise InputError(Problem(path, f"byte {undecodable}, line {line}", what, _SAVE_AGAIN))
    if not text.startswith('File type = "ooTextFile'):
        what = f"this is no TextGrid; it begins with {text[:40]!r}"
        raise InputError(Problem(path, "line 1", what, _SAVE_AGAIN))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _parse(path: Path, text: str) -> list[dict[str, Any]]:
    """The tiers of a TextGrid, each a dict with `class`, `name` and `entries`."""
    negative = _NEGATIVE_TIME.search(text)
    if negative:  # praatio drops the sign
        line = text.count("\n", 0, negative.start()) + 1
        what = f"negative time ({negative.group().strip()})"
        remedy = "shift the times so that the sound starts at 0"
        raise InputError(Problem(path, f"line {line}", what, remedy))
    try:
        # The short format's last interval is lost without a newline after it.
        tiers = parseTextgridStr(text + "\n", includeEmptyIntervals=True)["tiers"]
    except (PraatioException, ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        what = "the file is truncated or malformed"
        raise InputError(Problem(path, _first_fault(text), what, _SAVE_AGAIN)) from error
    _check_counts(path, text, tiers)
    return tiers


def _first_fault(text: str) -> str:
    """Where the first incomplete interval of a long TextGrid is; the end if none is found."""
    line = 1
    for part in re.split(r"(?=(?:intervals|points|item) ?\[)", text):
        if part.startswith(("intervals", "points")) and not _LONG_ENTRY.match(part):
            return f"{part.splitlines()[0].strip(' :')}, line {line}"
        line += part.count("\n")
    return f"line {line} (the end of the file)"


def _check_counts(path: Path, text: str, tiers: list[dict[str, Any]]) -> None:
    """Raise if there are fewer tiers or intervals than the file announces."""
    announced = _TIER_COUNT.search(text)
    counts = [int(long or short) for long, short in _ENTRY_COUNT.findall(text)]
    n_tiers = int(announced.group(1)) if announced else len(counts)
    if not tiers or len(tiers) != n_tiers or len(counts) != n_tiers:
        what = f"the file is truncated: {n_tiers} tiers are announced, {len(tiers)} found"
        raise InputError(Problem(path, _first_fault(text), what, _SAVE_AGAIN))
    for number, (tier, count) in enumerate(zip(tiers, counts, strict=True), start=1):
        n_found = len(tier["entries"])
        if n_found != count:
            place = f"tier {number} {tier['name']!r}, interval {n_found}"
            what = f"the file is truncated: {count} intervals are announced, {n_found} found"
            raise InputError(Problem(path, place, what, _SAVE_AGAIN))


def _word_tier(path: Path, tiers: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
    """The word tier and its number, from 1 as in Praat."""
    intervals = [(n, t) for n, t in enumerate(tiers, start=1) if t["class"] == INTERVAL_TIER]
    named = [(n, t) for n, t in intervals if _WORD_TIER.search(t["name"])]
    second = [(n, t) for n, t in intervals if n == 2 and not _PHONE_TIER.search(t["name"])]
    if not named + second:
        names = ", ".join(repr(tier["name"]) for tier in tiers)
        remedy = "name the tier of the words 'word', or fetch the file again"
        raise InputError(Problem(path, f"tiers {names}", "there is no word tier", remedy))
    return (named + second)[0]


def _times(path: Path, place: str, entries: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends of a tier's intervals, checked to follow one another."""
    strings = np.array([entry[:2] for entry in entries], dtype=object).reshape(-1, 2)
    start, end = (pd.to_numeric(column, errors="coerce").astype(float) for column in strings.T)
    unreadable = ~(np.isfinite(start) & np.isfinite(end))
    backwards = end < start
    overlapping = np.r_[False, start[1:] < end[:-1] - OVERLAP_TOLERANCE] & ~backwards
    faults = {
        "the times are no numbers": unreadable,
        "negative time": start < 0,
        "the interval is reversed, it ends before it starts": backwards,
        "the interval overlaps the one before it": overlapping,
    }
    problems = [
        problem
        for what, where in faults.items()
        for problem in _interval_problems(path, place, what, np.flatnonzero(where), strings)
    ]
    if problems:
        raise InputError(problems)
    return start, end


def _interval_problems(
    path: Path, place: str, what: str, indices: np.ndarray, strings: np.ndarray
) -> list[Problem]:
    """One problem for each faulty interval; the last stands for those beyond `MAX_FAULTS`."""
    remedy = "correct the times in Praat, or fetch the file again"
    shown = [
        Problem(path, f"{place}, interval {i + 1}, {strings[i][0]}-{strings[i][1]} s", what, remedy)
        for i in indices[:MAX_FAULTS]
    ]
    if len(indices) > MAX_FAULTS:
        more = f"{what}: {len(indices) - MAX_FAULTS} more such intervals"
        shown.append(Problem(path, place, more, remedy))
    return shown
