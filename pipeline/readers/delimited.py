"""Delimited text (CSV, TSV) with a header, read without guessing."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd

from pipeline.errors import InputError, Problem
from pipeline.validation.files import file_problem

MISSING = ["", "n/a"]  # and nothing else: "null", "nan" and "none" are words


def read_delimited(path: str | Path, encoding: str | None = None) -> pd.DataFrame:
    """Read a table, every cell a string.

    Tabs separate the columns of a .tsv, which has no quoting (as in BIDS), commas those of a .csv.

    Parameters
    ----------
    path : path
        .csv or .tsv; the first line names the columns.
    encoding : str, optional
        Default UTF-8, with or without a byte-order mark.

    Returns
    -------
    DataFrame
        Strings, NaN where a cell is empty or `n/a`.

    Raises
    ------
    InputError
        If the file is missing, not fetched, not decodable, ragged or empty, or names a column
        twice.
    """
    if problem := file_problem(path):
        raise InputError(problem)
    is_tsv = Path(path).suffix.lower() == ".tsv"
    try:
        table = pd.read_csv(
            path,
            sep="\t" if is_tsv else ",",
            quoting=csv.QUOTE_NONE if is_tsv else csv.QUOTE_MINIMAL,
            dtype=str,
            header=None,  # so that a column named twice is seen, and a longer row is an error
            keep_default_na=False,
            na_values=MISSING,
            encoding=encoding or "utf-8-sig",
        )
    except (UnicodeError, LookupError) as error:
        remedy = "save it as UTF-8, or name its encoding in the configuration"
        raise InputError(Problem(path, "", f"not decodable ({error})", remedy)) from error
    except ValueError as error:  # of the parser
        what = f"not a table ({str(error).strip()})"
        raise InputError(Problem(path, "", what, "give every row as many cells")) from error
    names = [str(name).strip() for name in table.iloc[0].fillna("")]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        what = f"columns named twice: {', '.join(map(repr, repeated))}"
        raise InputError(Problem(path, "line 1", what, "give each column a name of its own"))
    if len(table) == 1:
        what, remedy = "there is no row under the header", "fetch or copy the file again"
        raise InputError(Problem(path, "line 2", what, remedy))
    return table[1:].set_axis(names, axis=1).reset_index(drop=True)


def line_of(row: int) -> int:
    """Line of the file that holds a row, unless quoted cells span lines."""
    return row + 2


def numbers(column: pd.Series) -> pd.Series:
    """A column as float64, NaN where a cell is no number."""
    return pd.to_numeric(column, errors="coerce").astype(float)
