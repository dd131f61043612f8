"""Responses as a table: one row a TR, one column a region."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core.errors import Problem, ProblemError, some
from pipeline.readers.delimited import line_of, numbers, read_delimited

EVEN = 0.02  # relative; times are rounded
# A clock rises at every step, or at this share of many; by chance about half of the steps do.
FEW_STEPS, MANY_STEPS, ONE_WAY = 7, 20, 0.85


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
    ProblemError
        If the file is no table, its first line is a row of values, a column is not there or not
        of numbers, or a column only counts the rows or gives their times.
    """
    table = read_delimited(path)
    if not columns and _is_values(list(table.columns)):
        what = f"the first line is numbers ({some(table.columns)}), no names of regions"
        remedy = "put a line with the regions' names before it: this row would be lost"
        raise ProblemError(Problem(path, "line 1", what, remedy))
    if missing := [name for name in columns or () if name not in table]:
        what = f"there is no column {some(map(repr, missing))}"
        remedy = f"correct `responses.columns`; there are {some(map(repr, table.columns), 10)}"
        raise ProblemError(Problem(path, "line 1", what, remedy))
    table = table[list(columns)] if columns else table
    cells = table.to_numpy()
    values = numbers(pd.Series(cells.ravel())).to_numpy().reshape(cells.shape)
    unreadable = np.isnan(values) & table.notna().to_numpy()
    problems = [
        _unreadable(path, table[name], unreadable[:, i])
        for i, name in enumerate(table.columns)
        if unreadable[:, i].any()
    ]
    if not columns:
        counters = (_counter(path, *column) for column in zip(table.columns, values.T, strict=True))
        problems += [problem for problem in counters if problem]
    if problems:
        raise ProblemError(problems)
    with np.errstate(over="ignore"):  # too large is infinite, which the validation tells
        read = values.astype(np.float32)
    yield read


def shape_of(path: str | Path, columns: Sequence[str] | None = None) -> tuple[int, int]:
    """Rows and regions of a table."""
    n_rows, n_columns = read_delimited(path).shape
    return n_rows, len(columns) if columns else n_columns


def names_of(path: str | Path, columns: Sequence[str] | None = None) -> list[str]:
    """Names of a table's regions, in their order."""
    return list(columns or read_delimited(path).columns)


def clocks_of(path: str | Path) -> dict[str, float]:
    """Columns of a table that count the rows or give their times, and their usual step."""
    table = read_delimited(path)
    columns = {str(name): numbers(table[name]).to_numpy() for name in table}
    return {
        name: float(np.nanmedian(np.diff(values)))
        for name, values in columns.items()
        if _is_clock(values)
    }


def _is_values(names: list[str]) -> bool:
    """Whether all are numbers, and not the whole ones that regions of an atlas are called by."""
    is_number = numbers(pd.Series(names, dtype=object)).notna().all()
    return bool(is_number) and not all(name.isdigit() for name in names)


def _unreadable(path: str | Path, cells: pd.Series, unreadable: np.ndarray) -> Problem:
    """Say which cells of a column are no numbers."""
    rows = np.flatnonzero(unreadable)
    place = f"column {cells.name!r}, line {line_of(cells.index[rows[0]])}"
    what = f"{cells.iloc[rows[0]]!r} is no number ({len(rows)} such cells)"
    remedy = "correct it, or list the regions in `responses.columns`"
    return Problem(path, place, what, remedy)


def _counter(path: str | Path, name: str, values: np.ndarray) -> Problem | None:
    """Say that a column counts the rows, or their times: as a region it would be a fine drift."""
    if not _is_clock(values):
        return None
    what = f"column {name!r} counts the rows or gives their times: it is no region"
    return Problem(path, "line 1", what, "remove it, or list the regions in `responses.columns`")


def _is_clock(values: np.ndarray) -> bool:
    """Whether values count the rows, or give their times.

    A clock with jitter, with a censored volume or that starts again rises (or falls) at nearly
    every step; responses turn about at every second.
    """
    steps = np.diff(values[np.isfinite(values)])
    if len(steps) < 2 or not steps[0]:
        return False
    one_way = max((steps > 0).mean(), (steps < 0).mean())
    if one_way < (ONE_WAY if len(steps) >= MANY_STEPS else 1.0):
        return False
    return len(steps) >= FEW_STEPS or np.allclose(steps, steps[0], rtol=EVEN, atol=0)
