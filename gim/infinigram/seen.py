"""Which indexes have been verified before, so that it takes its minutes once.

It is remembered in the user's own cache, not beside the index, where whoever made the index could
claim it: in ``$GIM_CACHE``, or ``gim`` in ``$XDG_CACHE_HOME``, or in ``~/.cache``. Each is an empty
file there, named by a hash; to forget them, delete the folder. Where none can be written, an index
is verified whenever it is opened.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from gim.files import file_digest

FOLDER = "verified-indexes-1"  # the number goes up when more is verified


def by_place(files: Iterable[Path]) -> str:
    """A key that costs nothing: where the files lie on a disk, their sizes and times.

    Nobody can change a file without its time of change (ctime), unlike that of its content.
    """
    stats = [file.stat() for file in files]
    facts = [(s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for s in stats]
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def by_content(files: Iterable[Path]) -> str:
    """A key that copies share: all bytes of the files (about 0.3 GB/s)."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(bytes.fromhex(file_digest(path)))
    return digest.hexdigest()


def is_known(key: str) -> bool:
    """Whether the files of a key were verified before."""
    try:
        return (_folder() / key).is_file()
    except (OSError, RuntimeError):  # no home
        return False


def remember(*keys: str) -> None:
    """Keep that the files of these keys are verified, if anything can be kept."""
    try:
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        for key in keys:
            (folder / key).touch()
    except (OSError, RuntimeError):
        pass


def _folder() -> Path:
    if own := os.environ.get("GIM_CACHE"):
        return Path(own) / FOLDER
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gim" / FOLDER
