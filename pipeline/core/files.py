"""Is a file there, and is it the file itself rather than a pointer to it?"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from gim.files import unfetched
from pipeline.core.errors import Problem


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


def _missing_remedy(path: Path) -> str:
    """Where to get a missing file, and which files have almost its name."""
    remedy = f"run `datalad get {path}`, or correct its name"
    if not path.parent.is_dir():
        return remedy
    near = difflib.get_close_matches(path.name, sorted(os.listdir(path.parent)), n=3, cutoff=0.8)
    return f"{remedy} (there is {', '.join(near)})" if near else remedy
