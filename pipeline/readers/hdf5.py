"""Responses in HDF5: a dataset `data` of shape (rows, voxels)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from pipeline.core.errors import Findings, Problem, ProblemError, repeated, some
from pipeline.core.files import file_problem, hdf5_problem
from pipeline.core.hdf5 import REGIONS, open_h5, read_regions

_FETCH = "fetch or copy the file again"


@contextmanager
def open_hdf5(path: str | Path) -> Iterator[h5py.Dataset]:
    """Open the dataset `data` of an HDF5 file.

    Raises
    ------
    ProblemError
        If the file is missing, truncated, no HDF5 (also while it is being read) or being written,
        rests on other files, or `data` is not a filled 2-D dataset of numbers.
    """
    if problem := file_problem(path):
        raise ProblemError(problem)
    findings = Findings()
    try:
        with open_h5(path) as file:
            data = numeric_dataset(file, "data", 2, findings)
            if data is None:
                raise ProblemError(findings.problems)
            yield data
    except OSError as error:
        raise ProblemError(hdf5_problem(path, error)) from error


def shape_of(path: str | Path) -> tuple[int, int]:
    """Rows and voxels of the dataset `data`."""
    with open_hdf5(path) as data:
        return int(data.shape[0]), int(data.shape[1])


def names_of(path: str | Path) -> list[str] | None:
    """Names of the regions that the columns are: the dataset `regions`, if there is one.

    Raises
    ------
    ProblemError
        As `open_hdf5`; or `regions` has not one name a column, or one name of two.
    """
    with open_hdf5(path) as data:
        found = data.file.get(REGIONS)
        if found is None:
            return None
        is_names = isinstance(found, h5py.Dataset) and h5py.check_string_dtype(found.dtype)
        if not is_names or found.shape != data.shape[1:]:
            what = f"it has not one name for each of the {data.shape[1]} columns of `data`"
            remedy = "write the names of the regions in the order of the columns, or remove it"
            raise ProblemError(Problem(path, REGIONS, what, remedy))
        names = read_regions(data.file)
    if twice := repeated(names or ()):
        what = f"columns named twice: {some(map(repr, twice))}"
        raise ProblemError(Problem(path, REGIONS, what, "give each column a name of its own"))
    return names


def numeric_dataset(
    file: h5py.File, name: str, n_dimensions: int, findings: Findings
) -> h5py.Dataset | None:
    """A dataset of numbers with so many dimensions, or None and a problem noted."""
    data = file.get(name)
    if not isinstance(data, h5py.Dataset):
        what = f"there is no dataset {name!r}, only {some(map(repr, file)) or 'nothing'}"
        remedy = f"store what it should hold under this name, {name!r}, or fetch the file again"
        findings.problem(file.filename, name, what, remedy)
        return None
    if data.dtype.kind not in "fiu":
        what = f"the values are {data.dtype}, not numbers"
        findings.problem(file.filename, name, what, "store them as float32")
        return None
    if data.ndim != n_dimensions or 0 in data.shape:
        what = f"the shape is {data.shape}, not {n_dimensions}-dimensional and filled"
        findings.problem(file.filename, name, what, _FETCH)
        return None
    return data
