"""Delimited text (CSV, TSV) with a header, read without guessing."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.core.errors import Problem, ProblemError, repeated, some
from pipeline.core.files import file_problem

if TYPE_CHECKING:
    import pandas as pd

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
        Strings, NaN where a cell is empty or `n/a`; `line_of` an index is the line in the file.

    Raises
    ------
    ProblemError
        If the file is missing, not fetched, not decodable, ragged (as where it was cut) or empty,
        or names a column twice.
    """
    import pandas as pd  # slow to import

    if problem := file_problem(path):
        raise ProblemError(problem)
    lines, (head, *rows) = _cells(path, _text(path, encoding))
    names = [name.strip() for name in head]
    if twice := repeated(names):
        what = f"columns named twice: {some(map(repr, twice), 10)}"
        raise ProblemError(Problem(path, "line 1", what, "give each column a name of its own"))
    if not rows:
        what, remedy = "there is no row under the header", "fetch or copy the file again"
        raise ProblemError(Problem(path, "line 2", what, remedy))
    table = pd.DataFrame(rows, columns=names, index=[line - 2 for line in lines[1:]], dtype=object)
    return table.mask(table.isin(MISSING))


def _text(path: str | Path, encoding: str | None) -> str:
    remedy = "save it as UTF-8, or name its encoding in the configuration"
    try:
        text = Path(path).read_bytes().decode(encoding or "utf-8-sig")
    except (UnicodeError, LookupError) as error:
        raise ProblemError(Problem(path, "", f"not decodable ({error})", remedy)) from error
    if "\0" in text:
        raise ProblemError(Problem(path, "", "zero bytes, no text (UTF-16?)", remedy))
    return text


def _cells(path: str | Path, text: str) -> tuple[list[int], list[list[str]]]:
    """Line numbers and cells of the rows that are not blank, all of one length."""
    is_tsv = Path(path).suffix.lower() == ".tsv"
    options: dict[str, Any] = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if is_tsv else {}
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, **options)
    found = []
    try:
        found = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        what, place = f"not a table ({error})", f"line {reader.line_num}"
        raise ProblemError(Problem(path, place, what, "close quotation marks")) from error
    if not found:
        raise ProblemError(Problem(path, "", "not a table (blank)", "fetch or copy it again"))
    for line, row in found:
        if len(row) != len(found[0][1]):
            what = f"not a table: {len(row)} cells, but {len(found[0][1])} in the header"
            remedy = "give every row as many cells; if the file was cut, copy it again"
            raise ProblemError(Problem(path, f"line {line}", what, remedy))
    return [line for line, _ in found], [row for _, row in found]


def line_of(index: int) -> int:
    """Line of the file that holds a row, by its index in the table; its last line, if several."""
    return index + 2


def numbers(column: pd.Series) -> pd.Series:
    """A column as float64, NaN where a cell is no number."""
    import pandas as pd  # slow to import

    return pd.to_numeric(column, errors="coerce").astype(float)
