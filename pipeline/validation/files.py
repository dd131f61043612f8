"""Is a file there, and is it the file itself rather than a pointer to it?

In a datalad clone, files are git-annex links: until fetched, they are dangling links or, where the
file system has no links, small text files that name the object.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from pipeline.errors import Problem

MAX_POINTER_BYTES = 32 * 1024  # git-annex reads no larger file as a pointer
_POINTER_MARKS = (b"annex/objects/", b"version https://git-lfs")


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
    if path.is_symlink() and not path.exists():
        what = f"the file is a dangling link to {os.readlink(path)} (not fetched yet)"
        return Problem(path, "", what, f"run `datalad get {path}`")
    if not path.exists():
        return Problem(path, "", "the file does not exist", _missing_remedy(path))
    if not path.is_file():
        return Problem(path, "", "this is a folder, not a file", "put the file in its place")
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        what = f"the file cannot be read ({error.strerror})"
        return Problem(path, "", what, "check its permissions and the disk")
    if not head:
        return Problem(path, "", "the file is empty", f"run `datalad get {path}` or copy it again")
    if path.stat().st_size <= MAX_POINTER_BYTES and _is_pointer(head):
        what = "the file is a pointer, its content is not fetched yet"
        return Problem(path, "", what, f"run `datalad get {path}`")
    return None


def _is_pointer(head: bytes) -> bool:
    """Whether a file that begins so is one line of text naming an annexed object."""
    first = head.split(b"\n", 1)[0]
    return any(mark in first for mark in _POINTER_MARKS)


def _missing_remedy(path: Path) -> str:
    """Where to get a missing file, and which files have almost its name."""
    remedy = f"run `datalad get {path}`, or correct its name"
    if not path.parent.is_dir():
        return remedy
    near = difflib.get_close_matches(path.name, sorted(os.listdir(path.parent)), n=3, cutoff=0.8)
    return f"{remedy} (there is {', '.join(near)})" if near else remedy
