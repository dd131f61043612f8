"""Sorting the suffixes of tokenised documents: ``table.0`` of an index.

In memory by libdivsufsort (Mori 2008), if ``pydivsufsort`` is installed: 10 bytes a token of two
bytes, 20 a token of four. What would need more memory than it may, or lacks that package, is left
to ``infini-gram`` (Liu et al. 2024), which sorts parts of the text and merges them on disk. Both
write the same bytes.
"""

import math
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from gim.errors import InputError
from gim.files import atomic_file

BLOCK = 1 << 20  # entries written at once
PER_BYTE = 5  # bytes of memory for each byte of text: itself, and the place of the suffix there
MOST = 2**31 - 1  # bytes of text that places of four bytes can tell apart
_PLAIN = re.compile(r"[A-Za-z0-9_./-]+")


def sort_suffixes(folder: Path, token_bytes: int, cpus: int, memory: int) -> None:
    """Write ``table.0`` beside ``tokenized.0`` and ``offset.0``.

    Parameters
    ----------
    token_bytes : int
        2 or 4.
    cpus : int
        Processes, where the text does not fit into memory.
    memory : int
        GiB.

    Raises
    ------
    InputError
        When the package fails.
    """
    size = (folder / "tokenized.0").stat().st_size
    if find_spec("pydivsufsort") and size <= MOST and PER_BYTE * size <= memory * 2**30:
        _in_memory(folder, token_bytes)
        return
    _by_package(folder, cpus, memory)
    if token_bytes == 4:
        _keep_whole_tokens(folder)


def _in_memory(folder: Path, token_bytes: int) -> None:
    """Sort all bytes, and leave out the suffixes that start in the middle of a token."""
    from pydivsufsort import divsufsort

    text = np.fromfile(folder / "tokenized.0", np.uint8)
    places, width = divsufsort(text), table_width(len(text))
    with atomic_file(folder / "table.0") as out, out.open("wb") as table:
        for begin in range(0, len(places), BLOCK):
            block = places[begin : begin + BLOCK]
            block = block[block % token_bytes == 0].astype("<u4")
            table.write(block.view(np.uint8).reshape(-1, 4)[:, :width].tobytes())


def _by_package(folder: Path, cpus: int, memory: int) -> None:
    """Let the package write ``table.0``; tokenising is skipped because its files are there.

    It always sorts by units of two bytes: asked for four, it allocates 32 GiB for its buckets. As
    the order is that of raw bytes, the suffixes that start inside a token can be dropped after.
    """
    empty = folder / "empty"
    empty.mkdir()
    with _plain_name(folder) as name:
        # -P: no module is taken from the folder that the user stands in. --ulimit is the soft
        # limit of open files; its default is above what most systems allow.
        command = [sys.executable, "-P", "-m", "infini_gram.indexing", "--save_dir", str(name)]
        command += ["--data_dir", str(name / "empty"), "--token_dtype", "u16", "--cpus", str(cpus)]
        command += ["--mem", str(memory), "--shards", "1", "--ulimit", "4096"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    empty.rmdir()
    if done.returncode != 0 or not (folder / "table.0").is_file():
        tail = (done.stdout + done.stderr).strip().splitlines()[-5:]
        raise InputError(f"{folder}: sorting the suffixes failed:\n" + "\n".join(tail))


@contextmanager
def _plain_name(folder: Path) -> Iterator[Path]:
    """A link to a folder, under a name that means nothing to a shell.

    The package hands its paths to a shell as they are, and replaces "tokenized" in them. What it
    writes still goes to the folder, on its own disk.
    """
    for place in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # nosec B108
        if _PLAIN.fullmatch(place) and "tokenized" not in place and os.access(place, os.W_OK):
            break
    else:
        raise InputError("no folder for temporary files has a plain name; set TMPDIR to one")
    with tempfile.TemporaryDirectory(prefix="gim-", dir=place) as private:
        name = Path(private) / "index"
        name.symlink_to(folder.absolute())
        yield name


def _keep_whole_tokens(folder: Path) -> None:
    """Drop from ``table.0`` the suffixes that start in the middle of a four-byte token."""
    text_bytes = (folder / "tokenized.0").stat().st_size
    width = table_width(text_bytes)
    with atomic_file(folder / "table.0") as out, out.open("wb") as kept:
        table = np.memmap(folder / "table.0", np.uint8, "r").reshape(-1, width)
        for begin in range(0, len(table), BLOCK):
            block = np.asarray(table[begin : begin + BLOCK])
            kept.write(block[block[:, 0] % 4 == 0].tobytes())


def table_width(text_bytes: int) -> int:
    """Bytes of one entry of ``table.0``."""
    return math.ceil(math.log2(text_bytes) / 8)
