"""What has come of a file so far: `.NAME.part` beside it, written by one download at a time."""

from __future__ import annotations

import fcntl
import logging
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

POLL = 1.0  # seconds between two looks whether another download is done
# A link of this name is not followed; opening a pipe would wait for ever.
_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def partial(target: Path) -> Path:
    """Where what has come of a file is kept."""
    return target.with_name(f".{target.name}.part")


def size_of(path: Path) -> int:
    """Bytes of a file; 0 if there is none, or only a link."""
    try:
        status = path.lstat()
    except OSError:
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


@contextmanager
def opened(target: Path) -> Iterator[BinaryIO]:
    """Open a target's partial file, for reading and writing; an empty one is removed at the end.

    Whoever else downloads the same file is waited for, on file systems that have locks.

    Raises
    ------
    OSError
        If it cannot be made or opened.
    """
    path, told = partial(target), False
    while True:
        with os.fdopen(_open(path), "r+b") as file:
            if _lock(file) and _is_at(path, file):
                try:
                    yield file
                finally:
                    if _is_at(path, file) and file.seek(0, os.SEEK_END) == 0:
                        path.unlink(missing_ok=True)
                return
        if not told:
            logging.info("%s: another download of it is under way, waiting", target)
            told = True
        time.sleep(POLL)


def _open(path: Path) -> int:
    """Open a file of our own; whatever else has its name is removed first."""
    while True:
        with suppress(FileExistsError):
            return os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o666)
        with suppress(FileNotFoundError):  # the other download was done
            status = path.lstat()
            # A second name of a file is as good as a link to it.
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
                return os.open(path, _FLAGS)
            path.unlink()


def _lock(file: BinaryIO) -> bool:
    """Whether nobody else has the file now."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: the checksum tells whether it went well
        pass
    return True


def _is_at(path: Path, file: BinaryIO) -> bool:
    """Whether the open file still has its name; it has not when a download was completed."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
