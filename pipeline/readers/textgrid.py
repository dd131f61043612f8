"""Transcripts as Praat TextGrids.

praatio parses both text formats of Praat, long and short. What it passes over (a file that is cut
off, intervals that run backwards, minus signs) is checked here, so that a fault in a transcript is
named instead of becoming a wrong feature.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from praatio.utilities.constants import INTERVAL_TIER
from praatio.utilities.errors import PraatioException
from praatio.utilities.textgrid_io import parseTextgridStr

from pipeline.core.errors import Findings, Problem, ProblemError, some
from pipeline.core.files import file_problem
from pipeline.readers.entries import Entries, fault_problems
from pipeline.readers.tiers import Tier, word_tier
from pipeline.readers.words import MARKERS, OVERLAP_TOLERANCE, word_table

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
_NEGATIVE_TIME = re.compile(r"^[^\S\n]*(?:xmin|xmax|number) ?= ?-[\d.]*[1-9].*$", re.MULTILINE)
_EXPONENT = re.compile(
    r"^([^\S\n]*(?:xmin|xmax|number|time) ?= ?)(-?\d[\d.]*[eE][-+]?\d{1,2})(?=\s*$)", re.MULTILINE
)
_SAVE_AGAIN = "fetch the file again, or open and save it in Praat (text file, UTF-8)"


def read_textgrid(
    path: str | Path,
    tier: str | None = None,
    encoding: str | None = None,
    start: float | str = 0.0,
    markers: Collection[str] = MARKERS,
    findings: Findings | None = None,
) -> pd.DataFrame:
    """Read the words of a TextGrid.

    The word tier is the one interval tier whose name says so; or else the only one, or the one
    whose labels look like words (`pipeline.readers.tiers`). Markers of silence and noise, and
    whatever stands in brackets, are not words.

    Parameters
    ----------
    path : str or Path
        TextGrid in Praat's long or short text format.
    tier : str, optional
        Name of the word tier, where the rule above does not find it.
    encoding : str, optional
        Default UTF-8, or UTF-16 with a byte-order mark.
    start : float or "xmin"
        When the sound starts on the TextGrid's clock, seconds; "xmin", where the TextGrid begins.
    markers : collection of str
        Labels that are no words.
    findings : Findings, optional
        Where a warning is noted if the tier was chosen by its labels.

    Returns
    -------
    DataFrame of n_words rows
        `word` (lower case), `onset` and `offset` (float64, seconds from the start of the sound),
        by ascending onset.

    Raises
    ------
    ProblemError
        If the file is missing, not fetched, truncated, not decodable or no TextGrid, or if its
        word tier is missing, ambiguous, holds no words or has reversed or overlapping intervals.
    """
    path = Path(path)
    grid = _parse(path, _read_text(path, encoding))
    number, words = _word_tier(path, grid["tiers"], tier, findings)
    zero = float(grid["xmin"]) if start == "xmin" else float(start)
    return word_table(*_labelled(path, number, words), zero, markers)


def phones_of_textgrid(
    path: str | Path,
    encoding: str | None = None,
    start: float | str = 0.0,
    markers: Collection[str] = MARKERS,
) -> pd.DataFrame | None:
    """Read the phones of a TextGrid, from the one interval tier whose name says so.

    Parameters
    ----------
    path, encoding, start, markers
        As for `read_textgrid`.

    Returns
    -------
    DataFrame of n_phones rows, or None
        `phone`, `onset` and `offset` (seconds from the start of the sound), by ascending onset;
        None where no tier, or several, are called phones.

    Raises
    ------
    ProblemError
        As `read_textgrid`.
    """
    path = Path(path)
    grid = _parse(path, _read_text(path, encoding))
    tiers = [(n, t) for n, t in enumerate(grid["tiers"], start=1) if t["class"] == INTERVAL_TIER]
    found = [(n, t) for n, t in tiers if _PHONE_TIER.search(t["name"])]
    if len(found) != 1:
        return None
    zero = float(grid["xmin"]) if start == "xmin" else float(start)
    table = word_table(*_labelled(path, *found[0]), zero, markers)
    return table.rename(columns={"word": "phone"})


def _labelled(
    path: Path, number: int, tier: dict[str, Any]
) -> tuple[Entries, list[str], tuple[np.ndarray, np.ndarray]]:
    """A tier's intervals for error messages, their labels and their times."""
    intervals = tier["entries"]

    def shown(i: int) -> str:
        return f"interval {i + 1}, {intervals[i][0]}-{intervals[i][1]} s"

    entries = Entries(path, f"tier {number} {tier['name']!r}", shown)
    return entries, [interval[-1] for interval in intervals], _times(entries, intervals)


def _read_text(path: Path, encoding: str | None) -> str:
    """The text of a TextGrid file, by default in whichever of Praat's encodings."""
    problem = file_problem(path)
    if problem:
        raise ProblemError(problem)
    raw = path.read_bytes()
    is_utf16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = raw.decode(encoding or ("utf-16" if is_utf16 else "utf-8-sig"))
        undecodable = text.find("\0")  # UTF-16 without its mark decodes as UTF-8 full of these
    except UnicodeDecodeError as error:
        text, undecodable = "", error.start
    if undecodable >= 0:
        line = raw[:undecodable].count(b"\n") + 1
        expected = (
            f"not {encoding}" if encoding else "neither UTF-8 nor UTF-16 with a byte-order mark"
        )
        what = f"the bytes are {expected}"
        remedy = f"{_SAVE_AGAIN}, or set `transcripts.encoding`"
        raise ProblemError(Problem(path, f"byte {undecodable}, line {line}", what, remedy))
    text = text.removeprefix("\ufeff")
    if not text.startswith('File type = "ooTextFile'):
        what = f"this is no TextGrid; it begins with {text[:40]!r}"
        raise ProblemError(Problem(path, "line 1", what, _SAVE_AGAIN))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _parse(path: Path, text: str) -> dict[str, Any]:
    """A TextGrid as a dict: `xmin`, and `tiers`, dicts with `class`, `name` and `entries`."""
    text = _EXPONENT.sub(lambda m: f"{m[1]}{Decimal(m[2]):f}", text)  # praatio knows no exponents
    negative = _NEGATIVE_TIME.search(text)
    if negative:  # praatio drops the sign
        line = text.count("\n", 0, negative.start()) + 1
        what = f"negative time ({negative.group().strip()})"
        remedy = "shift the times so that the sound starts at 0"
        raise ProblemError(Problem(path, f"line {line}", what, remedy))
    try:
        # The short format's last interval is lost without a newline after it.
        grid = parseTextgridStr(text + "\n", includeEmptyIntervals=True)
        tiers = grid["tiers"]
    except (PraatioException, ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        what = "the file is truncated or malformed"
        raise ProblemError(Problem(path, _first_fault(text), what, _SAVE_AGAIN)) from error
    _check_counts(path, text, tiers)
    return grid


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
        raise ProblemError(Problem(path, _first_fault(text), what, _SAVE_AGAIN))
    for number, (tier, count) in enumerate(zip(tiers, counts, strict=True), start=1):
        n_found = len(tier["entries"])
        if n_found != count:
            place = f"tier {number} {tier['name']!r}, interval {n_found}"
            what = f"the file is truncated: {count} intervals are announced, {n_found} found"
            raise ProblemError(Problem(path, place, what, _SAVE_AGAIN))


def _word_tier(
    path: Path, tiers: list[dict[str, Any]], name: str | None, findings: Findings | None
) -> tuple[int, dict[str, Any]]:
    """The word tier and its number, from 1 as in Praat."""
    intervals = [(n, t) for n, t in enumerate(tiers, start=1) if t["class"] == INTERVAL_TIER]
    if name is not None:
        found = [(n, t) for n, t in intervals if t["name"] == name]
    else:
        found = [(n, t) for n, t in intervals if _WORD_TIER.search(t["name"])]
        if not found:
            unnamed = [(n, t) for n, t in intervals if not _PHONE_TIER.search(t["name"])]
            found = unnamed if len(intervals) == 1 else _told_by_labels(unnamed)
            if found and len(intervals) > 1 and findings is not None:
                _warn_of_choice(path, found[0], intervals, findings)
    if len(found) != 1:
        what = "several tiers may be the words'" if found else "there is no word tier"
        what += f" named {name!r}" if name is not None else ""
        names = ", ".join(repr(tier["name"]) for tier in tiers)
        remedy = "name the tier of the words in `transcripts.tier`"
        raise ProblemError(Problem(path, f"tiers {names}", what, remedy))
    return found[0]


def _told_by_labels(tiers: list[tuple[int, dict[str, Any]]]) -> list[tuple[int, dict[str, Any]]]:
    """The one tier whose labels look like words; none if none or several do."""
    looks = []
    for _, tier in tiers:
        start, end = (
            pd.to_numeric([entry[i] for entry in tier["entries"]], errors="coerce") for i in (0, 1)
        )
        looks.append(Tier.of([entry[-1] for entry in tier["entries"]], np.subtract(end, start)))
    chosen = word_tier(looks)
    return [] if chosen is None else [tiers[chosen]]


def _warn_of_choice(
    path: Path,
    chosen: tuple[int, dict[str, Any]],
    tiers: list[tuple[int, dict[str, Any]]],
    findings: Findings,
) -> None:
    number, tier = chosen
    others = some(repr(other["name"]) for n, other in tiers if n != number)
    what = f"no tier is called words, this one looks like them (there are {others})"
    remedy = f"nothing, if it is; name it, `transcripts.tier: {tier['name']}`, or another"
    findings.warn(path, f"tier {number} {tier['name']!r}", what, remedy)


def _times(entries: Entries, intervals: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends of a tier's intervals, checked to follow one another."""
    strings = np.array([interval[:2] for interval in intervals], dtype=object).reshape(-1, 2)
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
    remedy = "correct the times in Praat, or fetch the file again"
    if problems := fault_problems(entries, faults, remedy):
        raise ProblemError(problems)
    return start, end
