"""Is a file there, is it the file itself rather than a pointer to it, and is it still whole?"""

from __future__ import annotations

import difflib
import errno
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from gim.files import unfetched
from pipeline.core.errors import Problem, ProblemError

SUFFIX = ".damaged"


def file_problem(path: str | Path) -> Problem | None:
    """Say why a file cannot be read, or None if it can.

    Parameters
    ----------
    path : str or Path
        A file that the workflow is to read.

    Returns
    -------
    Problem or None
        Missing, not fetched by git-annex (datalad) or git-lfs, empty, a folder, or not permitted.
    """
    path = Path(path)
    try:
        if what := unfetched(path):
            return Problem(path, "", what, f"run `datalad get {path}`")
        if not path.exists():
            return Problem(path, "", "the file does not exist", _missing_remedy(path))
        if not path.is_file():
            return Problem(path, "", "this is a folder, not a file", "put the file in its place")
        with path.open("rb") as file:
            is_empty = not file.read(1)
    except OSError as error:
        what = f"the file cannot be read ({error.strerror})"
        return Problem(path, "", what, "check its permissions and the disk")
    if is_empty:
        return Problem(path, "", "the file is empty", f"run `datalad get {path}` or copy it again")
    return None


def hdf5_problem(path: str | Path, error: OSError) -> Problem:
    """Say why HDF5 cannot open (or read) a file: it is being written, cannot be locked, or is cut.

    Parameters
    ----------
    path : str or Path
        The file; `file_problem` has nothing to say of it.
    error : OSError
        What h5py raised.
    """
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    if "unable to lock file" in said and error.errno != errno.EAGAIN:
        what = f"the disk does not let it be locked ({said})"
        remedy = "set the environment variable HDF5_USE_FILE_LOCKING=FALSE"
    elif is_written(error):
        what = f"it is open for writing elsewhere, or its writer did not close it ({said})"
        remedy = "close it there, or wait until it is written; write it again if no program has it"
    else:
        what, remedy = f"truncated or not HDF5 ({said})", "fetch or copy the file again"
    return Problem(path, "", what, remedy)


def is_written(error: OSError) -> bool:
    """Whether HDF5 says that a file is being written: by its lock, or its consistency flags."""
    said = str(error)
    return ("unable to lock" in said and error.errno == errno.EAGAIN) or "already open for" in said


def _missing_remedy(path: Path) -> str:
    """Where to get a missing file, and which files have almost its name."""
    remedy = f"run `datalad get {path}`, or correct its name"
    if not path.parent.is_dir():
        return remedy
    near = difflib.get_close_matches(path.name, sorted(os.listdir(path.parent)), n=3, cutoff=0.8)
    return f"{remedy} (there is {', '.join(near)})" if near else remedy


def set_aside(paths: Iterable[str | Path], folder: str | Path) -> None:
    """Rename the damaged files of a run, so that its next start makes them again.

    What is seen: HDF5, Parquet and JSON that were cut anywhere, tables whose last line was cut,
    empty files. Snakemake itself looks at times only.

    Parameters
    ----------
    paths : iterable of path
        What a job is about to read.
    folder : path
        The run's results; files elsewhere are not ours, and are left alone.

    Raises
    ------
    ProblemError
        If a file was damaged, naming all that were; one that is being written stays where it is.
    """
    problems = []
    for path in map(Path, paths):
        if not path.is_relative_to(folder) or not path.is_file():
            continue
        try:
            what = damage(path)
        except ProblemError as error:  # it may be whole
            problems += error.problems
            continue
        if what:
            path.replace(aside := path.with_name(path.name + SUFFIX))
            remedy = f"run again: it will be made again (what was there is now {aside.name})"
            problems.append(Problem(path, "", f"the file is damaged: {what}", remedy))
    if problems:
        raise ProblemError(problems)


def damage(path: Path) -> str:
    """What is wrong with a file; empty if nothing. Of unknown kinds only the size is checked.

    Raises
    ------
    ProblemError
        If another program is writing it.
    """
    if path.stat().st_size == 0:
        return "" if path.suffix == ".txt" else "it is empty"
    if check := CHECKS.get(path.suffix):
        try:
            check(path)
        except ProblemError:
            raise
        except (OSError, ValueError) as error:  # also pyarrow's, and broken JSON and UTF-8
            return str(error).splitlines()[0].rstrip(".")
    return ""


def _hdf5(path: Path) -> None:
    import h5py

    try:
        h5py.File(path).close()  # compares the size with the one that it was closed at
    except OSError as error:
        if is_written(error):
            raise ProblemError(hdf5_problem(path, error)) from error
        raise


def _parquet(path: Path) -> None:
    from pyarrow import parquet

    parquet.ParquetFile(path).close()  # the schema is at the end


def _json(path: Path) -> None:
    json.loads(path.read_text(encoding="utf-8"))


def _table(path: Path) -> None:
    if not path.read_bytes().endswith(b"\n"):
        raise ValueError("its last line has no end")


CHECKS: dict[str, Callable[[Path], None]] = {
    ".h5": _hdf5, ".hf5": _hdf5, ".parquet": _parquet, ".json": _json, ".tsv": _table,
}  # fmt: skip
