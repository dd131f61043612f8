"""The rows of a table that hold some values, and no others that only look like them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from pipeline.core.errors import Problem, ProblemError, some
from pipeline.readers.composed import composed

_NO_VALUE = "n/a"


def chosen_rows(path: Path, table: pd.DataFrame, where: Mapping[str, object]) -> pd.DataFrame:
    """Take the rows that hold the value that `where` asks for in each of its columns.

    Parameters
    ----------
    path : Path
        Of the table, for the error message.
    table : DataFrame of n_rows rows
        Strings; the columns of `where` are among its own.
    where : mapping of str to str or number
        Value of a column.

    Raises
    ------
    ProblemError
        If no row is left, or if some are left out whose value differs from the one asked for by
        case, blanks or leading zeros alone; with the number of rows of each value.
    """
    for column, asked in where.items():
        cells = table[column].fillna(_NO_VALUE)
        taken = cells == str(asked)
        near = cells[~taken & (cells.map(_plain) == _plain(str(asked)))]
        if len(near) or not taken.any():
            what = f"{int(taken.sum())} rows hold {str(asked)!r}; there are {_counted(cells)}"
            if not taken.any():
                what = f"it leaves no words: {what}"
            remedy = f"correct `transcripts.where` ({{{column}: {asked}}})"
            if len(near):
                remedy += f", or write {near.iloc[0]!r} as the others are in the table"
            raise ProblemError(Problem(path, f"transcripts.where, column {column!r}", what, remedy))
        table = table[taken]
    return table


def _counted(cells: pd.Series) -> str:
    return some((f"{value!r} ({n} rows)" for value, n in cells.value_counts().items()), 10)


def _plain(value: str) -> str:
    """A value without what is easily written otherwise: case, blanks, the form of a number."""
    value = " ".join(composed(value).split()).lower()
    try:
        return f"{float(value):g}"
    except ValueError:
        return value
