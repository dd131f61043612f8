"""Vectors of voxels in files of their own: .npy, or a column of a .tsv."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import Problem, ProblemError


def read_vector(path: Path, column: str | None) -> np.ndarray:
    """Read a vector from .npy or from a column of a .tsv with a header.

    Raises
    ------
    ProblemError
        The file is missing, damaged, or holds no numbers.
    """
    if path.suffix == ".npy":
        return _read_npy(path)
    try:
        table = pd.read_csv(path, sep="\t")
    except (OSError, ValueError) as error:  # pandas' parser errors are ValueErrors
        raise ProblemError(Problem(path, "", str(error), "give a .npy or .tsv file")) from error
    if column is None and table.shape[1] > 1:
        what, remedy = f"columns {', '.join(table.columns)}", "choose one with --column"
        raise ProblemError(Problem(path, "", what, remedy))
    name = table.columns[0] if column is None else column
    if name not in table or not pd.api.types.is_numeric_dtype(table[name]):
        remedy = "the first line must be a header; choose a column of numbers with --column"
        raise ProblemError(Problem(path, str(name), "no such column of numbers", remedy))
    return table[name].to_numpy(dtype=np.float32)


def _read_npy(path: Path) -> np.ndarray:
    remedy = "give a file that numpy.save wrote of one array of numbers"
    try:
        values = np.load(path, mmap_mode="r")  # which makes no room for more than the file holds
    except (OSError, ValueError, EOFError) as error:
        raise ProblemError(Problem(path, "", f"no array ({error})", remedy)) from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiub":
        raise ProblemError(Problem(path, "", "no array of real numbers", remedy))
    return values


def write_vector(values: np.ndarray, path: Path, column: str | None) -> None:
    """Write a vector as .npy or as a .tsv of one column."""
    with atomic_path(path) as temporary:
        if path.suffix == ".npy":
            np.save(temporary, values)
        else:
            table = pd.DataFrame({column or "value": values})
            table.to_csv(temporary, sep="\t", index=False, na_rep="n/a")
