"""What has to be fetched: which files of the dataset are not there, or not what they should be."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import requests
import urllib3

from gim.files import MAX_POINTER_BYTES
from gim.text.corpus import COMPRESSED, JSONL
from pipeline.core.errors import Problem, ProblemError
from pipeline.core.files import file_problem
from pipeline.core.progress import track
from pipeline.fetch.annex import Key, key_in, local_key
from pipeline.fetch.clone import held_by_git
from pipeline.fetch.https import ask
from pipeline.fetch.part import partial, size_of
from pipeline.readers.formats import RESPONSES, TRANSCRIPTS

# Ends of the names that something here reads; text and models beside what subjects heard and did.
READABLE = (*TRANSCRIPTS, *RESPONSES, *JSONL, *COMPRESSED, ".txt", ".safetensors")


@dataclass(frozen=True)
class Missing:
    """A file to fetch.

    Parameters
    ----------
    path : Path
        Its place in the dataset.
    target : Path
        Where its content goes: the same, or the object that the link there points to.
    url : str
        Where the content is.
    key : Key or None
        What it must be; None for the small files that lie in git itself.
    """

    path: Path
    target: Path
    url: str
    key: Key | None

    @property
    def size(self) -> int:
        """Bytes still to come."""
        whole = (self.key.size if self.key else None) or 0
        return max(whole - size_of(partial(self.target)), 0)


def missing_files(
    root: Path, paths: Sequence[Path], files: str, pointers: str, jobs: int = 1
) -> list[Missing]:
    """The files that are missing, unfetched or damaged.

    A file's key comes from its link or pointer in a clone, or else from `pointers`. Files that are
    there are read and compared with it; what a clone's git holds itself is taken as it is.

    Parameters
    ----------
    root : Path
        The dataset's root.
    paths : sequence of Path
        Files under it.
    files : str
        Address under which the files' contents are.
    pointers : str
        Address under which the files are as git has them: annexed ones as links or pointers.
    jobs : int
        Files looked at at a time.

    Raises
    ------
    ProblemError
        If a name is none that may be fetched (then nothing is asked for), the dataset has no such
        file, or a link leads out of it.
    """
    if refused := [problem for path in paths if (problem := _odd_name(path.relative_to(root)))]:
        raise ProblemError(refused)

    def look(path: Path) -> Missing | ProblemError | None:
        try:
            return _missing(root, path, files, pointers)
        except ProblemError as error:
            return error

    with ThreadPoolExecutor(jobs) as pool:
        looked = list(track(pool.map(look, paths), f"{len(paths)} files looked at"))
    if errors := [found for found in looked if isinstance(found, ProblemError)]:
        raise ProblemError(problem for error in errors for problem in error.problems)
    return [found for found in looked if isinstance(found, Missing)]


def check_keys(missing: Sequence[Missing]) -> None:
    """Raise ProblemError where nothing would tell whether a server sent the file itself."""
    remedy = (
        "fetch it with git-annex in a clone, or `git annex migrate` it to SHA256E at its source"
    )
    if problems := [
        Problem(file.path, file.key.name, file.key.doubt, remedy)
        for file in missing
        if file.key and file.key.doubt
    ]:
        raise ProblemError(problems)


def check_space(folder: Path, n_bytes: int, what: str) -> int:
    """Free bytes where `folder` is or will be.

    Raises
    ------
    ProblemError
        If they are fewer than `n_bytes`.
    """
    there = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    free = shutil.disk_usage(there).free
    if n_bytes > free:
        problem = f"{what} needs {gigabytes(n_bytes)}, only {gigabytes(free)} are free"
        raise ProblemError(
            Problem(folder, "", problem, "make room, or name fewer stories or subjects")
        )
    return free


def gigabytes(n_bytes: int) -> str:
    """A number of bytes for people."""
    return f"{n_bytes / 1e9:.2f} GB" if n_bytes >= 1e7 else f"{n_bytes / 1e6:.2f} MB"


def _missing(root: Path, path: Path, files: str, pointers: str) -> Missing | None:
    name = quote(path.relative_to(root).as_posix())
    url, is_there = f"{files.rstrip('/')}/{name}", file_problem(path) is None
    key = local_key(path)
    if key is None and (held := held_by_git(root, path)) is not None:
        key = key_in(held)
        if key is None and is_there:  # git holds the file itself, and it is here
            return None
    if key is None:
        pointer = f"{pointers.rstrip('/')}/{name}"
        key = _remote_key(path, pointer)
        if key is None:  # git holds the file itself
            url = pointer
    if is_there and (key is None or key.fits(path)):
        return None
    return Missing(path, _target(root, path), url, key)


def _odd_name(name: Path) -> Problem | None:
    """Why a file of the dataset is not fetched: it is hidden, outside, or nothing reads it."""
    if any(part.startswith(".") for part in name.parts):
        what = "the name is hidden or leads out of the dataset"
        return Problem(name, "", what, "correct the paths in the configuration")
    if not name.name.lower().endswith(READABLE):
        what = f"no reader knows a file of this name; {', '.join(dict.fromkeys(READABLE))} are"
        return Problem(name, "", what, "correct the paths in the configuration")
    return None


def _remote_key(path: Path, url: str) -> Key | None:
    """The key that git has in the file's place, None if it has the file itself."""
    try:
        with ask(url) as answer:
            answer.raise_for_status()
            return key_in(answer.raw.read(MAX_POINTER_BYTES + 1))
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        response = getattr(error, "response", None)
        status = (
            f"the server answers {response.status_code}" if response is not None else str(error)
        )
        remedy = "check the names in the configuration, the network, and `fetch.pointers`"
        raise ProblemError(Problem(path, url, status, remedy)) from error


def _target(root: Path, path: Path) -> Path:
    """Where the content goes: to the object that a link of git-annex names, or to the path itself.

    Neither leads out of the dataset, or to hidden files that are not such objects.
    """
    base, target = Path(os.path.realpath(root)), Path(os.path.realpath(path))
    key = key_in(os.readlink(path)) if path.is_symlink() else None
    if key is None:  # any other link is replaced, not followed
        target = Path(os.path.realpath(path.parent), path.name)
    if not target.is_relative_to(base):
        what = f"the link leads out of the dataset, to {target}"
    elif key and (target.name != key.name or "/annex/objects/" not in target.as_posix()):
        what = f"the link leads to {target}, which is no object of git-annex"
    elif key is None and _odd_name(target.relative_to(base)):
        what = f"the folder leads to {target}, where nothing is fetched"
    else:
        return target
    raise ProblemError(Problem(path, "", what, "replace it by a link of git-annex, or remove it"))


def total(missing: Sequence[Missing]) -> int:
    """Bytes still to come."""
    return sum(file.size for file in missing)
