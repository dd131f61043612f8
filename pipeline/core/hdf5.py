"""HDF5 files are read only if all that they hold is in them, and no more than they can hold.

What an HDF5 file calls its own may lie in other files: external storage, external links, virtual
datasets. A stranger's file would quote what is on this disk into the results, and its checksum
would not change when the data do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from pipeline.core.errors import Problem, ProblemError

REGIONS = "regions"  # dataset of the names of the columns of `data`, where these are regions
INSIDE = {h5py.h5l.TYPE_HARD, h5py.h5l.TYPE_SOFT}
THIS_FILE = "."  # as the sources of virtual datasets call it
# Deflate shrinks to a 1032nd at most. Small datasets do no harm, however little of them is stored.
MOST_SHRUNK, HARMLESS = 1100, 2**28  # bytes a stored byte, and bytes
_ONE_FILE = (
    "write the values into one file (`h5repack --merge -l CONTI OLD NEW`, or with h5py "
    "`new[name] = old[name][()]`)"
)


@contextmanager
def open_h5(path: str | Path) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading: the one place where files that others made are opened.

    Links within the file are followed, and virtual datasets whose sources are in it are read.

    Raises
    ------
    ProblemError
        If data lie in other files, or a dataset claims far more than is stored of it; naming all
        such datasets and links.
    OSError
        If the file is missing, truncated or no HDF5.
    """
    with h5py.File(path) as file:
        problems = [
            Problem(path, name, *fault)
            for name, kind in _links(file)
            if (fault := _fault(file, name, kind))
        ]
        if problems:
            raise ProblemError(problems)
        yield file


def read_regions(file: h5py.File) -> list[str] | None:
    """Names of the regions that a file's columns are; None where the columns are voxels."""
    return file[REGIONS].asstr()[:].tolist() if REGIONS in file else None


def write_regions(file: h5py.File, names: Sequence[str] | None) -> None:
    """Write the names of regions, one a column; nothing of voxels."""
    if names is not None:
        file[REGIONS] = np.array(names, dtype=h5py.string_dtype())


def _links(file: h5py.File) -> list[tuple[str, int]]:
    """Names and kinds of all links of a file; none is followed out of it."""
    links: list[tuple[str, int]] = []
    file.id.links.visit(lambda name, info: links.append((name.decode(), info.type)), info=True)
    return links


def _fault(file: h5py.File, name: str, kind: int) -> tuple[str, str] | None:
    """What is wrong with a link or the dataset behind it, and what to do; None if nothing."""
    if kind not in INSIDE:
        return f"the data lie in another file{_target(file, name, kind)}", _ONE_FILE
    data = file[name] if kind == h5py.h5l.TYPE_HARD else None
    if not isinstance(data, h5py.Dataset):
        return None
    if others := _other_files(data):
        return f"the data lie in another file ({others[0]!r})", _ONE_FILE
    stored = file.id.get_filesize() if data.is_virtual else data.id.get_storage_size()
    claimed = _size(data)
    if claimed > max(HARMLESS, MOST_SHRUNK * stored):
        what = f"{data.shape} values are {claimed:.2g} bytes, but only {stored} are stored"
        return what, "write the dataset again, with all of its values"
    return None


def _target(file: h5py.File, name: str, kind: int) -> str:
    """Where an external link leads."""
    link = file.get(name, getlink=True) if kind == h5py.h5l.TYPE_EXTERNAL else None
    return f" ({link.filename!r})" if link else ""


def _other_files(data: h5py.Dataset) -> list[str]:
    """Files other than its own that a dataset's values are in."""
    external = [name for name, *_ in data.external or ()]
    sources = data.virtual_sources() if data.is_virtual else ()
    return external + [source.file_name for source in sources if source.file_name != THIS_FILE]


def _size(data: h5py.Dataset) -> int:
    """Bytes that reading takes: of all values, or of one chunk, which may be larger than these."""
    n_values = max(math.prod(data.shape or (0,)), math.prod(data.chunks or (0,)))
    return data.dtype.itemsize * n_values
