"""The kinds of damage that readers are tried on, and what each is answered with.

A *specimen* is a sound input and the way the project reads it; a *damage* spoils a copy of it. The
answer is one of three: the input is refused with a message, it is read with a warning, or it is
read as if nothing had happened to it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DAMAGES: list[Damage] = []


@dataclass(frozen=True)
class Specimen:
    """A sound input, and how it is read.

    Parameters
    ----------
    name : str
        What it is called in the table.
    path : callable
        The file or folder that is damaged, in a folder where `write` wrote.
    read : callable
        Reads the input in such a folder; returns (numbers and words, warnings).
    write : str
        The fixture that writes it.
    """

    name: str
    path: Callable[[Path], Path]
    read: Callable[[Path], tuple[Any, list[str]]]
    write: str


@dataclass(frozen=True)
class Damage:
    """One kind of damage.

    Parameters
    ----------
    specimen : Specimen
        What is damaged.
    make : callable
        Damages the file at a path.
    refused, warned : str or None
        Words of the message; without either, the input is read as if it were sound.
    names : str or None
        The file that the message names, if it is another than the one at fault.
    """

    specimen: Specimen
    make: Callable[[Path], None]
    refused: str | None
    warned: str | None
    names: str | None = None

    @property
    def name(self) -> str:
        """Stable name of the test."""
        return f"{self.specimen.name}-{self.make.__name__}".lower().replace(" ", "-")

    @property
    def description(self) -> str:
        """What is done to the file."""
        return str(self.make.__doc__).strip().rstrip(".")


def damage(
    specimen: Specimen,
    *,
    refused: str | None = None,
    warned: str | None = None,
    names: str | None = None,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function that damages the file at a path; its docstring says how."""

    def register(make: Callable[..., None]) -> Callable[..., None]:
        DAMAGES.append(Damage(specimen, make, refused, warned, names))
        return make

    return register


def edit(path: Path, old: str, new: str, count: int = 1) -> None:
    """Replace text in a UTF-8 file; the text must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {path.name}"
    path.write_text(text.replace(old, new, count), encoding="utf-8", newline="")


def recode(path: Path, encoding: str) -> None:
    """Write a UTF-8 file in another encoding."""
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))


def cut(path: Path, share: float = 0.6) -> None:
    """Keep the first part of a file."""
    raw = path.read_bytes()
    path.write_bytes(raw[: int(share * len(raw))])


def empty(path: Path) -> None:
    """Nothing is in the file."""
    path.write_bytes(b"")


def folder(path: Path) -> None:
    """A folder stands in the file's place."""
    path.unlink()
    path.mkdir()


def unreadable(path: Path) -> None:
    """The file opens, but reading it fails as on a broken disk (for root too)."""
    path.unlink()
    path.symlink_to("/proc/self/mem")


def missing(path: Path) -> None:
    """The file is not there."""
    path.unlink()


def pointer(path: Path) -> None:
    """A pointer of git-annex, whose content was not fetched."""
    key = f"MD5E-s524288--0cc175b9c0f1b6a831c399e269772661{''.join(path.suffixes)}"
    path.write_text(f"/annex/objects/{key}\n")


def lfs_pointer(path: Path) -> None:
    """A pointer of git-lfs, as a clone without the weights has."""
    path.write_text(
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0c' * 32}\nsize 524288\n"
    )


def dangling(path: Path) -> None:
    """A link of git-annex that leads nowhere yet."""
    path.unlink()
    path.symlink_to(".git/annex/objects/0Z/1p/MD5E-s524288--0cc175b9/MD5E-s524288--0cc175b9")


# What is said of files that `pipeline.core.files` looks at.
CHECKED = {
    "missing": "does not exist",
    "empty": "the file is empty",
    "folder": "a folder, not a file",
    "unreadable": "cannot be read",
    "pointer": "a pointer, its content is not fetched yet",
    "dangling": "not fetched yet",
}
FILES = (empty, folder, unreadable, missing, pointer, lfs_pointer, dangling)


def common(specimen: Specimen, **said: str) -> None:
    """Register the damages that any file may suffer: their names, and what is said of each."""
    known = {make.__name__: make for make in FILES}
    for name, words in said.items():
        make = known[name]
        copy = functools.wraps(make)(lambda path, make=make: make(path))
        damage(specimen, refused=words)(copy)
