"""Files appear whole or not at all: written under a temporary name, then renamed.

The HDF5 files of a run also say which layout they have, so that another one is refused.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import h5py

from gim.files import atomic_file as atomic_path
from gim.files import write_text
from pipeline.core.errors import Problem, ProblemError
from pipeline.core.hdf5 import open_h5

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LayoutFile", "atomic_h5", "atomic_path", "read_table", "write_table", "write_text"]
ATTRIBUTE = "layout"
# Columns of tables whose cells are names: the subject "01" is not 1.
NAMES = (
    *("subject", "model", "baseline", "over", "against", "band", "bands", "story", "stories"),
    *("partition", "part", "parcellation", "region", "reason"),
)


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


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table that `write_table` wrote; names stay what they are, be they 01, NA or None."""
    import pandas as pd  # slow to import

    return pd.read_csv(
        path,
        sep="\t",
        dtype=dict.fromkeys(NAMES, str),
        keep_default_na=False,
        na_values=["n/a", ""],
    )


class LayoutFile:
    """An HDF5 file of one kind. Its subclass alone knows the names in it.

    `LAYOUT` is written into every file as the attribute `layout`. Its number goes up whenever a
    name, a shape or a meaning changes: what was written before is then refused, never misread.

    Parameters
    ----------
    path : path
        The file. It is opened anew whenever something is read.
    """

    LAYOUT: ClassVar[str]

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._made: h5py.File | None = None  # open as long as it is being written

    @classmethod
    @contextmanager
    def _create(cls, path: str | Path) -> Iterator[Self]:
        """Yield a file to write, which appears whole or not at all; it can be read meanwhile."""
        made = cls(path)
        with atomic_h5(path) as file:
            file.attrs[ATTRIBUTE] = cls.LAYOUT
            made._made = file
            yield made
        made._made = None

    @classmethod
    def wrote(cls, path: str | Path) -> bool:
        """Whether a file has this layout."""
        with open_h5(path) as file:
            return file.attrs.get(ATTRIBUTE) == cls.LAYOUT

    @property
    def _file(self) -> h5py.File:
        """The file that is being written."""
        assert self._made is not None, "only files that are being made are written to"
        return self._made

    @contextmanager
    def _open(self) -> Iterator[h5py.File]:
        """Open for reading.

        Raises
        ------
        ProblemError
            If the file has another layout, says none, or rests on other files.
        """
        if self._made is not None:
            yield self._made
            return
        with open_h5(self.path) as file:
            found = file.attrs.get(ATTRIBUTE)
            if found != self.LAYOUT:
                said = "says no layout" if found is None else f"has the layout {found}"
                what = f"the file {said}, but {self.LAYOUT} is needed: another version wrote it"
                remedy = "delete it, or run into another results folder; Snakemake makes it again"
                raise ProblemError(Problem(self.path, ATTRIBUTE, what, remedy))
            yield file
