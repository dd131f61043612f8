"""Files appear whole or not at all: write to a temporary name, then rename."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import pandas as pd

from gim.files import atomic_file as atomic_path
from gim.files import write_text

__all__ = ["atomic_h5", "atomic_path", "write_table", "write_text"]


@contextmanager
def atomic_h5(path: str | Path) -> Iterator[h5py.File]:
    """Yield an HDF5 file open for writing that becomes `path` if the block succeeds.

    Raises
    ------
    OSError
        If anything could not be written, whatever HDF5 made of it.
    """
    with atomic_path(path) as temporary, _Disk(temporary, "w+") as disk:
        try:
            with h5py.File(disk, "w") as file:
                yield file
            os.fsync(disk.fileno())
        finally:
            if disk.error:
                raise disk.error


class _Disk(io.FileIO):
    """A file that remembers the first write that failed, and goes on as if it had not.

    HDF5 writes small data when a dataset is released, where an error is printed and lost, and
    crashes when a file with unwritten data is closed on a full disk.
    """

    error: OSError | None = None

    def write(self, data: Any) -> int:
        """Write all of it, not only as much as there is room for."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        while self.error is None and rest:
            try:
                rest = rest[super().write(rest) :]
            except OSError as error:
                self.error = OSError(error.errno, error.strerror, str(self.name))
        return size


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write the table as TSV with six decimals, so that equal runs give equal bytes."""
    write_text(path, table.to_csv(sep="\t", index=False, float_format="%.6f", na_rep="n/a"))
