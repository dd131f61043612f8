"""Transcripts as tables (CSV, TSV, BIDS events): one row a word, times in seconds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core.errors import Problem, ProblemError, some
from pipeline.readers.chosen_rows import chosen_rows
from pipeline.readers.delimited import line_of, numbers, read_delimited
from pipeline.readers.entries import Entries, fault_problems
from pipeline.readers.untimed import interpolate
from pipeline.readers.words import MARKERS, word_table

ROLES = ("word", "onset", "offset", "duration")


def read_word_table(
    path: str | Path,
    columns: Mapping[str, str] | None = None,
    where: Mapping[str, str] | None = None,
    encoding: str | None = None,
    start: float = 0.0,
    markers: Collection[str] = MARKERS,
    untimed: str = "refuse",
) -> pd.DataFrame:
    """Read the words of a table.

    A word ends at its `offset`, or `duration` after its onset, whichever column there is; where
    neither says, at its onset. Rows without a word (`n/a`) are passed over.

    Parameters
    ----------
    path : path
        .csv or .tsv with a header.
    columns : mapping of str to str, optional
        Names of the columns word, onset, offset and duration, where they are others.
    where : mapping of str to str, optional
        Take only the rows that hold this value in this column.
    encoding : str, optional
        Default UTF-8.
    start : float
        When the sound starts on the table's clock, seconds.
    markers : collection of str
        Labels that are no words.
    untimed : {"refuse", "skip", "interpolate"}
        What becomes of words without times (`pipeline.readers.untimed`).

    Returns
    -------
    DataFrame of n_words rows
        As of `pipeline.readers.formats.read_transcript`; its `attrs` say under "warning" what
        became of words without times.

    Raises
    ------
    ProblemError
        If the file is no table, a column is missing, `where` leaves no row or leaves out rows by
        their spelling, a time is no number or runs backwards, a row is there twice, or words
        last as long as none do.
    """
    path = Path(path)
    if not isinstance(start, int | float):
        what = "a table does not state where its clock begins"
        remedy = "give `transcripts.start` in seconds"
        raise ProblemError(Problem(path, "transcripts.start", what, remedy))
    table = read_delimited(path, encoding)
    names = {role: role for role in ROLES} | dict(columns or {})
    named = [name for role, name in names.items() if name != role]
    needed = [names["word"], names["onset"], *named, *(where or {})]
    _check_columns(path, table, list(dict.fromkeys(needed)))
    table = chosen_rows(path, table, where or {})
    table = table[table[names["word"]].notna()]
    lacking = _untimed(table, names).to_numpy()
    n_lacking, n_rows = int(lacking.sum()), len(table)
    if untimed == "skip":
        table, lacking = table[~lacking], np.zeros(n_rows - n_lacking, bool)
    words = table[names["word"]].tolist()

    def shown(i: int) -> str:
        return f"line {line_of(int(table.index[i]))}, {words[i]!r}"

    entries = Entries(path, "the table", shown)
    times = _times(entries, table, names, lacking, untimed == "interpolate")
    found = word_table(entries, words, times, start, markers)
    if n_lacking:
        done = {"skip": "left out", "interpolate": "put between their neighbours"}[untimed]
        found.attrs["warning"] = f"{n_lacking} of {n_rows} words have no times: they were {done}"
    return found


def _untimed(table: pd.DataFrame, names: Mapping[str, str]) -> pd.Series:
    """Rows that have no cell of times."""
    cells = [names[role] for role in ROLES[1:] if names[role] in table]
    return table[cells].isna().all(axis=1)


def _check_columns(path: Path, table: pd.DataFrame, needed: list[str]) -> None:
    missing = [name for name in needed if name not in table]
    if missing:
        what = f"there is no column {some(map(repr, missing))}, only {some(map(repr, table), 10)}"
        remedy = "name the columns in `transcripts.columns` (commas separate a .csv, tabs a .tsv)"
        raise ProblemError(Problem(path, "line 1", what, remedy))


def _times(
    entries: Entries,
    table: pd.DataFrame,
    names: Mapping[str, str],
    untimed: np.ndarray,
    is_filled: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Onsets and offsets, checked; where `is_filled`, untimed words have interpolated ones."""
    cells = {role: table.get(names[role]) for role in ("onset", "offset", "duration")}
    read = {role: numbers(column) for role, column in cells.items() if column is not None}
    onset = read["onset"]
    offset = onset.copy()
    if "duration" in read:
        offset = onset + read["duration"].fillna(0)
    if "offset" in read:
        offset = read["offset"].fillna(offset)
    unreadable = ~np.isfinite(onset)
    for role, values in read.items():
        column = cells[role]
        assert column is not None
        unreadable |= column.notna() & ~np.isfinite(values)
    is_filled = is_filled and not untimed.all()
    faults = {
        "the times are no numbers of seconds": (unreadable & ~(untimed & is_filled)).to_numpy(),
        "the word ends before it starts": (offset < onset).to_numpy(),
        "the word is given twice": (
            pd.DataFrame({"word": table[names["word"]], "onset": onset, "offset": offset})
            .duplicated()
            .to_numpy()
            & np.isfinite(onset.to_numpy())
        ),
    }
    remedy = "correct the rows"
    if untimed.any():
        remedy += "; `transcripts.untimed` can skip or interpolate words without times"
    if found := fault_problems(entries, faults, remedy):
        raise ProblemError(found)
    times = onset.to_numpy(), offset.to_numpy()
    return interpolate(*times, untimed) if is_filled else times
