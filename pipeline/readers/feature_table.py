"""Features that others made: tables of numbers, a row a word or a row a TR, with named columns.

A file holds one story, where `{story}` stands in its path, or all of them. In CSV, TSV and Parquet
a column is a feature; `story`, `index` and `onset` say which row is whose. In NPZ and HDF5 the
numbers are `data` (of one story) or an array under each story's name, `columns` their names, and
`onset` (of one story) their times.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import h5py
import numpy as np
import pandas as pd

from pipeline.core.errors import Problem, ProblemError, some
from pipeline.core.files import file_problem, hdf5_problem
from pipeline.core.hdf5 import open_h5
from pipeline.readers.delimited import numbers, read_delimited

STORY = "{story}"
KEYS = ("story", "index", "onset", "word", "offset", "duration")  # columns that are no features
NAMES, DATA = "columns", "data"


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Features of one story.

    Parameters
    ----------
    path : Path
        The file, for error messages.
    columns : list of str
        Names of the features.
    values : array of shape (n_rows, n_columns)
        The features, double; NaN where the file has none.
    index : array of shape (n_rows,) or None
        Which word a row is of, counted from 0; NaN where the file has none.
    onset : array of shape (n_rows,) or None
        When the word begins, seconds.
    """

    path: Path
    columns: list[str]
    values: np.ndarray
    index: np.ndarray | None = None
    onset: np.ndarray | None = None


def table_path(pattern: str, story: str) -> Path:
    """The file that holds a story."""
    return Path(pattern.replace(STORY, story))


def read_feature_table(
    pattern: str, story: str, wanted: Sequence[str] | None = None
) -> FeatureTable:
    """Read the features of a story.

    Parameters
    ----------
    pattern : str
        Path of a file; `{story}` is replaced.
    story : str
        The story.
    wanted : sequence of str, optional
        Columns to take, in this order; default, all that are no keys.

    Raises
    ------
    ProblemError
        If the file cannot be read, or lacks the story or a column.
    """
    path = table_path(pattern, story)
    if problem := file_problem(path):
        raise ProblemError(problem)
    read = FORMATS.get(path.suffix.lower())
    if read is None:
        remedy = f"give a file that ends in {', '.join(FORMATS)}"
        raise ProblemError(Problem(path, "", "no reader of features for this format", remedy))
    table = read(path, story, STORY not in pattern)
    return table if wanted is None else _taken(table, wanted)


def first_columns(pattern: str) -> list[str]:
    """Names of the features, as the first file has them that fits the path.

    Raises
    ------
    ProblemError
        If no file does, or it cannot be read.
    """
    files = sorted(glob.glob(glob.escape(pattern).replace(STORY, "*")))
    if not files:
        remedy = "write the tables there, or correct `path`"
        raise ProblemError(Problem(pattern, "", "there is no such table", remedy))
    path = Path(files[0])
    prefix, _, rest = pattern.partition(STORY)
    story = files[0].removeprefix(prefix).removesuffix(rest) if STORY in pattern else _a_story(path)
    return read_feature_table(pattern, story).columns


def _a_story(path: Path) -> str:
    """A story that a file of all of them holds."""
    if problem := file_problem(path):
        raise ProblemError(problem)
    if path.suffix.lower() in (".csv", ".tsv", ".parquet"):
        frame = _frame(path)
        return str(frame["story"].iloc[0]) if "story" in frame else ""
    with _arrays(path) as arrays:
        return next((name for name in arrays if name != NAMES), "")


def _taken(table: FeatureTable, wanted: Sequence[str]) -> FeatureTable:
    if unknown := [name for name in wanted if name not in table.columns]:
        what = f"there is no column {some(map(repr, unknown))}"
        raise ProblemError(Problem(table.path, "", what, f"there are {some(table.columns, 12)}"))
    places = [table.columns.index(name) for name in wanted]
    return FeatureTable(table.path, list(wanted), table.values[:, places], table.index, table.onset)


def _frame(path: Path) -> pd.DataFrame:
    """A table as it is: strings of CSV and TSV, whatever Parquet has."""
    if path.suffix.lower() != ".parquet":
        return read_delimited(path)
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:  # pyarrow's own are among them
        what, remedy = f"not Parquet ({str(error).splitlines()[0]})", "write the file again"
        raise ProblemError(Problem(path, "", what, remedy)) from error


def _read_frame(path: Path, story: str, of_all: bool) -> FeatureTable:
    frame = _frame(path)
    if of_all:
        if "story" not in frame:
            what = "the table holds all stories, but has no column `story`"
            remedy = "add the column, or write {story} in the path of a table each"
            raise ProblemError(Problem(path, "", what, remedy))
        frame = frame[frame["story"].astype(str) == story]
        if frame.empty:
            raise _lacking(path, story)
    names = [str(name) for name in frame.columns if name not in KEYS]
    if not names:
        what, remedy = "there is no column of features", f"add some beside {', '.join(KEYS)}"
        raise ProblemError(Problem(path, "", what, remedy))
    keys = {
        key: numbers(frame[key]).to_numpy() if key in frame else None for key in ("index", "onset")
    }
    values = [numbers(frame[name]).to_numpy() for name in names]
    return FeatureTable(path, names, np.stack(values, axis=1), **keys)


def _read_arrays(path: Path, story: str, of_all: bool) -> FeatureTable:
    with _arrays(path) as arrays:
        name = story if of_all else DATA
        if name not in arrays:
            if of_all:
                raise _lacking(path, story)
            what, remedy = f"there is no array `{DATA}`", f"call the features `{DATA}`"
            raise ProblemError(Problem(path, "", what, remedy))
        values, onset = np.asarray(arrays[name]), None
        if not of_all and "onset" in arrays:
            onset = np.asarray(arrays["onset"], np.float64)
        names = None
        if NAMES in arrays:
            names = [n.decode() if isinstance(n, bytes) else str(n) for n in arrays[NAMES]]
    if values.ndim != 2 or values.dtype.kind not in "fiub":
        what = f"`{name}` is {values.dtype} of shape {values.shape}"
        raise ProblemError(Problem(path, name, what, "give numbers of shape (rows, columns)"))
    names = names or [f"column {i}" for i in range(1, values.shape[1] + 1)]
    if len(names) != values.shape[1]:
        what = f"{len(names)} names for {values.shape[1]} columns"
        raise ProblemError(Problem(path, NAMES, what, "give each column one name"))
    return FeatureTable(path, names, values.astype(np.float64), onset=onset)


def _lacking(path: Path, story: str) -> ProblemError:
    remedy = "add it to the table, or take the story out of the configuration"
    return ProblemError(Problem(path, story, "the story is not in it", remedy))


@contextmanager
def _arrays(path: Path) -> Iterator[Mapping[str, Any]]:
    """Arrays of an NPZ or HDF5 file by name, as long as it is open."""
    with ExitStack() as stack:
        try:
            if path.suffix.lower() == ".npz":
                npz = stack.enter_context(np.load(path, allow_pickle=False))
                found = {name: npz[name] for name in npz.files}
            else:
                file = stack.enter_context(open_h5(path))
                found = {k: _numbers_or_text(v) for k, v in file.items() if _is_array(v)}
        except OSError as error:
            raise ProblemError(hdf5_problem(path, error)) from error
        except (ValueError, EOFError, KeyError, BadZipFile) as error:
            what = f"not a readable file of arrays ({error})"
            raise ProblemError(Problem(path, "", what, "write it again")) from error
        yield found


def _is_array(item: Any) -> bool:
    return isinstance(item, h5py.Dataset)


def _numbers_or_text(data: h5py.Dataset) -> Any:
    """A dataset, not yet read; of text, its strings."""
    return data.asstr()[:] if h5py.check_string_dtype(data.dtype) else data


FORMATS: dict[str, Callable[[Path, str, bool], FeatureTable]] = {
    **dict.fromkeys((".csv", ".tsv", ".parquet"), _read_frame),
    **dict.fromkeys((".npz", ".h5", ".hf5", ".hdf5"), _read_arrays),
}
