"""Files that are whole: written so that a half-written one is never mistaken for one, and read so
that a pointer to one is not.
"""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from gim.errors import InputError

MAX_POINTER_BYTES = 32 * 1024  # git-annex reads no larger file as a pointer
_POINTER_MARKS = (b"annex/objects/", b"version https://git-lfs")
MARK = ".made-by-gim"  # a file in each folder that `atomic_directory` made, and so may replace
MARK_TEXT = "gim made this folder. It replaces it whole when it makes it again.\n"
SHIPPED = Path(__file__).parent / "data" / "encoder"  # the encoder of this package


def unfetched(path: str | Path) -> str | None:
    """Say what is in a file's place in a clone whose content was not fetched, or None.

    git-annex (datalad) leaves a dangling link or, where the file system has no links, a line of
    text that names the object; git-lfs leaves a few lines of text.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    path = Path(path)
    if path.is_symlink() and not path.exists():
        return f"the file is a dangling link to {os.readlink(path)} (not fetched yet)"
    if not path.is_file() or path.stat().st_size > MAX_POINTER_BYTES:
        return None
    with path.open("rb") as file:
        first = file.read(512).split(b"\n", 1)[0]
    if any(mark in first for mark in _POINTER_MARKS):
        return "the file is a pointer, its content is not fetched yet"
    return None


def check_fetched(*paths: str | Path) -> None:
    """Raise an InputError if a pointer is in a file's place; other faults are not looked for."""
    for path in paths:
        try:
            what = unfetched(path)
        except OSError:
            continue
        if what:
            raise InputError(f"{path}: {what}; run `git annex get` or `git lfs pull` in its clone")


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it to ``path`` if the block succeeds.

    The temporary name keeps the suffixes, as some writers choose a format by them. Nobody can
    guess it: a link of that name, in a folder from elsewhere, would be written through; and
    processes of several machines would share it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".partial-{secrets.token_hex(8)}-{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_directory(path: str | Path) -> Iterator[Path]:
    """Yield a temporary directory beside ``path``; it takes the place of ``path`` at the end.

    It gets the mark of `check_replaceable`; it and all in it, the permissions that the user's umask
    gives.

    Raises
    ------
    InputError
        As `check_replaceable`, before anything is written; or if the directory cannot be made.
    """
    check_replaceable(path)
    path = Path(path).resolve()  # what a link leads to is replaced, on its own disk
    temporary = _beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
    except OSError as error:
        raise InputError(f"{path}: cannot be made ({error.strerror}); name another") from error
    try:
        yield temporary
        (temporary / MARK).write_text(MARK_TEXT, encoding="utf-8")
        _let_read(temporary)
        check_replaceable(path)  # it may have been filled meanwhile
        _swap(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_replaceable(path: str | Path) -> None:
    """Raise unless a folder may be written to ``path``: nothing of anybody else's would be lost.

    Raises
    ------
    InputError
        If something is there: a file, or a folder that is not empty and was not made here.
    """
    path = Path(path)
    try:
        ours = not path.exists() or (path / MARK).is_file() or not any(path.iterdir())
    except OSError:  # a file, or not to be read
        ours = False
    if not ours:
        raise InputError(
            f"{path}: it is there already, and was not made by gim (no file {MARK} in it), which "
            "would replace it whole; name another folder, move this one away, or put an empty file "
            "of that name into it if it may go"
        )


def check_output(path: str | Path, inputs: Iterable[str | Path] = ()) -> None:
    """Raise unless a file can be written to ``path`` when the work is done, and is none of its own.

    Raises
    ------
    InputError
        For a folder, a place under a file or that may not be written to, or one of ``inputs``.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path}: a folder; name a file to write")
    for given in inputs:
        if path.exists() and Path(given).exists() and path.samefile(given):
            raise InputError(f"{path}: is read here and would be replaced; name another to write")
    _check_place(path, path.parent)


def check_output_folder(path: str | Path, mark: str, names: Iterable[str]) -> None:
    """Raise unless files can be written into a folder, and replace those of an earlier run alone.

    Parameters
    ----------
    mark : str
        A file that tells that an earlier run wrote the folder.
    names : iterable of str
        Files that would be written.

    Raises
    ------
    InputError
        For a file, a place under one or that may not be written to, or somebody else's files.
    """
    path = Path(path)
    _check_place(path, path)
    there = [name for name in names if (path / name).exists()]
    if there and not (path / mark).exists():
        raise InputError(
            f"{path / there[0]}: is there and was not written by this command (no {mark} beside "
            "it); name another folder"
        )


def _check_place(path: Path, folder: Path) -> None:
    """Raise unless files can come into a folder, which need not be there yet."""
    there = next((place for place in (folder, *folder.parents) if place.exists()), Path("/"))
    if not there.is_dir():
        raise InputError(f"{path}: cannot be written, {there} is a file; name another place")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"{path}: cannot be written, {there} is read-only; name another place")


def _let_read(folder: Path) -> None:
    """Let who may read the folder's mark read all: safetensors writes for its user alone."""
    mode = (folder / MARK).stat().st_mode & 0o666
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(path.stat().st_mode | mode)


def _beside(path: Path) -> Path:
    """A name in the same folder that nobody else has."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


def _swap(new: Path, path: Path) -> None:
    """Put ``new`` in the place of ``path``; what was there goes only when that is done."""
    old = _beside(path)
    if path.exists():
        os.replace(path, old)
    try:
        os.replace(new, path)
    except OSError:
        if old.exists():
            os.replace(old, path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file, read a piece at a time."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` atomically as UTF-8."""
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """Write ``value`` atomically as indented JSON."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


class _Loader(yaml.SafeLoader):
    """YAML in which a key given twice is an error, not the last one of them."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    what = f"the key {key.value!r} is given twice"
                    raise ConstructorError(None, None, what, key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file in UTF-8.

    Raises
    ------
    InputError
        If it cannot be read, is not YAML, or gives a key twice; the message names file and line.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        return yaml.load(text, _Loader)  # a SafeLoader  # nosec B506
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as YAML ({error})") from error
    except RecursionError as error:
        raise InputError(f"{path}: cannot be read as YAML (too many brackets)") from error
