"""Responses as a table: one row a TR, one column a region."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.errors import InputError, Problem
from pipeline.readers.delimited import line_of, numbers, read_delimited
from pipeline.validation.findings import some


@contextmanager
def open_table(path: str | Path, columns: Sequence[str] | None = None) -> Iterator[np.ndarray]:
    """Read the regions of a CSV or TSV table.

    Parameters
    ----------
    path : path
        The first line names the columns; `n/a` and empty cells are NaN.
    columns : sequence of str, optional
        Regions to take, in this order; default all columns.

    Yields
    ------
    array of shape (n_rows, n_regions), float32

    Raises
    ------
    InputError
        If the file is no table, a column is not there or not of numbers, or a column only counts
        the rows.
    """
    table = read_delimited(path)
    if missing := [name for name in columns or () if name not in table]:
        what = f"there is no column {some(map(repr, missing))}"
        remedy = f"correct `responses.columns`; there are {some(map(repr, table.columns), 10)}"
        raise InputError(Problem(path, "line 1", what, remedy))
    table = table[list(columns)] if columns else table
    values = table.apply(numbers)
    problems = [_unreadable(path, name, table[name], values[name]) for name in table.columns]
    if not columns:
        problems += [_counter(path, name, values[name].to_numpy()) for name in table.columns]
    if found := [problem for problem in problems if problem]:
        raise InputError(found)
    yield values.to_numpy(dtype=np.float32)


def shape_of(path: str | Path, columns: Sequence[str] | None = None) -> tuple[int, int]:
    """Rows and regions of a table."""
    n_rows, n_columns = read_delimited(path).shape
    return n_rows, len(columns) if columns else n_columns


def _unreadable(path: str | Path, name: str, cells: pd.Series, values: pd.Series) -> Problem | None:
    """Say which cells of a column are no numbers."""
    rows = np.flatnonzero(values.isna() & cells.notna())
    if not len(rows):
        return None
    place = f"column {name!r}, line {line_of(rows[0])}"
    what = f"{cells[rows[0]]!r} is no number ({len(rows)} such cells)"
    remedy = "correct it, or list the regions in `responses.columns`"
    return Problem(path, place, what, remedy)


def _counter(path: str | Path, name: str, values: np.ndarray) -> Problem | None:
    """Say that a column counts the rows: fitted as a region, it would be a fine drift."""
    if len(values) < 3 or not np.array_equal(np.diff(values), np.ones(len(values) - 1)):
        return None
    what = f"column {name!r} counts the rows: it is no region"
    return Problem(path, "line 1", what, "remove it, or list the regions in `responses.columns`")
