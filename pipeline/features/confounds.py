"""Confounds: what the scan measured beside the brain, such as movement, from a table a run.

A nuisance, never a model of language: what a band adds is judged above it. The columns have the
names of fMRIPrep's `*_desc-confounds_timeseries.tsv` (Esteban et al. 2019), but any table of one
row a volume will do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.errors import Problem, ProblemError, some
from pipeline.dataset.grid import Grid
from pipeline.features.base import Kind
from pipeline.readers.delimited import line_of, numbers, read_delimited

MOTION = ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")
# Made from the BOLD of the row itself: a prediction may not have them.
OF_BOLD = re.compile(
    r"(global_signal|csf|white_matter|dvars|std_dvars|[actw]_comp_cor|crown|edge_comp|aroma"
    r"|motion_outlier|non_steady_state)"
)


def compute(path: str | Path, grid: Grid, options: Mapping[str, Any]) -> np.ndarray:
    """Confounds of a story, one row a TR.

    Cells that are empty or `n/a` in the first rows, before which nothing was measured (a difference
    from one volume to the next has no first value), become 0, as for a head that did not move.

    Parameters
    ----------
    path : path
        CSV or TSV, one row for each scanned volume, each volume of the grid, or each kept one.
    grid : Grid
        The story's.
    options : mapping
        `columns`, names of those that are read.

    Returns
    -------
    array of shape (n_rows, n_columns)

    Raises
    ------
    ProblemError
        If the table lacks a column, has another number of rows, or a cell after the first ones is
        no number, or a column is made from the BOLD of the row itself.
    """
    names = list(options["columns"])
    if of_bold := [name for name in names if OF_BOLD.search(name)]:
        what = f"{some(map(repr, of_bold))} is made from the BOLD that is to be predicted"
        remedy = "leave it out; `ar` and `drift` know the BOLD that the horizon allows"
        raise ProblemError(Problem(path, "columns", what, remedy))
    table = read_delimited(path)
    if missing := [name for name in names if name not in table]:
        what = f"there is no column {some(map(repr, missing))}"
        remedy = f"correct `columns`; there are {some(map(repr, table), 10)}"
        raise ProblemError(Problem(path, "line 1", what, remedy))
    values = np.stack([_measured(path, table[name]) for name in names], axis=1)
    return values[_rows(path, len(values), grid)]


def _measured(path: str | Path, column: pd.Series) -> np.ndarray:
    """A column's numbers, 0 before the first of them, (n_volumes,)."""
    values = numbers(column).to_numpy()
    finite = np.isfinite(values)
    first = int(finite.argmax()) if finite.any() else len(values)
    wrong = ~finite & ((np.arange(len(values)) >= first) | column.notna().to_numpy())
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        place = f"column {column.name!r}, line {line_of(int(column.index[row]))}"
        what = f"{column.iloc[row]!r} is no number"
        raise ProblemError(Problem(path, place, what, "correct it; only first rows may be n/a"))
    return np.where(finite, values, 0.0)


def _rows(path: str | Path, n: int, grid: Grid) -> slice:
    """Which of the table's n rows are kept volumes."""
    if n in (grid.n_scanned, grid.n_volumes):
        return grid.kept
    if n == grid.n_rows:
        return slice(None)
    what = f"there are {n} rows, not one for each of {grid.n_scanned} scanned volumes"
    what += f", {grid.n_volumes} of the grid or {grid.n_rows} that are kept"
    raise ProblemError(Problem(path, "", what, "give the table of this run, whole"))


KIND = Kind(
    "confounds",
    "recording",
    compute,
    fir=False,
    options={"path": None, "columns": MOTION},
    required=("path", "columns"),
    columns=lambda options: options["columns"],
    readable=False,
)
