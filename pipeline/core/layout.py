"""The HDF5 files that stages hand to each other: every kind has one owner, and says its layout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Self

import h5py

from pipeline.core.atomic import atomic_h5
from pipeline.core.errors import Problem, ProblemError

ATTRIBUTE = "layout"


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
            If the file has another layout, or says none.
        """
        if self._made is not None:
            yield self._made
            return
        with h5py.File(self.path) as file:
            found = file.attrs.get(ATTRIBUTE)
            if found != self.LAYOUT:
                said = "says no layout" if found is None else f"has the layout {found}"
                what = f"the file {said}, but {self.LAYOUT} is needed: another version wrote it"
                remedy = "delete it, or run into another results folder; Snakemake makes it again"
                raise ProblemError(Problem(self.path, ATTRIBUTE, what, remedy))
            yield file
