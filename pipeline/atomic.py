"""Files appear whole or not at all: write to a temporary name, then rename."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from gim.files import atomic_file as atomic_path
from gim.files import write_text

__all__ = ["atomic_h5", "atomic_path", "write_text"]


@contextmanager
def atomic_h5(path: str | Path) -> Iterator[h5py.File]:
    """Yield an HDF5 file open for writing that becomes `path` if the block succeeds."""
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        yield file
