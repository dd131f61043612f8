"""What is installed: Python, packages against what is needed and what was tested, the commit."""

from __future__ import annotations

import importlib
import importlib.util
import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from gim.provenance import PACKAGE, commit
from pipeline.doctor.lines import Line

CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"  # of a checkout
OLDEST = (3, 11)
LOADED = ("numpy", "h5py", "numba", "torch", "nilearn", "snakemake")  # have compiled parts, or many
_INSTALL = "run `make`, or `pip install -c constraints.txt -e .`"


def installation() -> Iterator[Line]:
    """Lines on Python, the project and its packages."""
    python = f"{platform.python_version()} ({platform.system()} {platform.machine()})"
    is_old = sys.version_info < OLDEST
    yield Line("Python", python, "BROKEN" if is_old else "", "use Python 3.11 or newer" * is_old)
    yield from _uncompiled()
    try:
        needed = [Requirement(text) for text in requires(PACKAGE) or ()]
    except PackageNotFoundError:
        yield Line(PACKAGE, "is not installed", "BROKEN", _INSTALL)
        return
    yield Line(PACKAGE, f"{version(PACKAGE)}, commit {commit()}")
    of_extras = [one for one in needed if one.marker and not one.marker.evaluate()]
    yield from _packages([one for one in needed if one not in of_extras])
    optional = sorted(f"{one.name} {own}" for one in of_extras if (own := _version(one.name)))
    yield Line("optional", ", ".join(optional) or "none")
    for module in LOADED:
        if said := _not_loaded(module):
            yield Line(module, f"cannot be imported: {said}", "BROKEN", _INSTALL)


def _uncompiled() -> Iterator[Line]:
    """Where no process may keep what it compiles, and pip has not done so: jobs begin slowly."""
    found = importlib.util.find_spec("numpy")
    if sys.dont_write_bytecode and found and found.cached and not Path(found.cached).exists():
        said = "is compiled anew by every job: PYTHONDONTWRITEBYTECODE is set"
        yield Line("what is imported", said, "note", "unset it")


def _packages(needed: list[Requirement]) -> Iterator[Line]:
    """Whether all that is needed is there, and as it was tested."""
    found = {one.name: _version(one.name) for one in needed}
    for one in needed:
        own = found[one.name]
        if own is None:
            yield Line(one.name, f"is missing, {one} is needed", "BROKEN", _INSTALL)
        elif not one.specifier.contains(own, prereleases=True):
            yield Line(one.name, f"is {own}, {one} is needed", "BROKEN", _INSTALL)
    there = sum(own is not None for own in found.values())
    yield Line("packages", f"{there} of {len(needed)} needed ones are there")
    if not CONSTRAINTS.is_file():
        yield Line("tested versions", "no constraints.txt: not a checkout", "note")
        return
    tested = pinned(CONSTRAINTS.read_text(encoding="utf-8"))
    others = [
        f"{name} {own} (tested: {tested[_plain(name)]})"
        for name, own in found.items()
        if own and tested.get(_plain(name), own).split("+")[0] != own.split("+")[0]
    ]
    said = ", ".join(others) or "all as in constraints.txt"
    yield Line("tested versions", said, "note" if others else "")


def pinned(text: str) -> dict[str, str]:
    """Versions by package, of constraints."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", text, re.MULTILINE)
    return {_plain(name): number for name, number in found}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _not_loaded(module: str) -> str:
    """Why a module cannot be imported; empty if it can."""
    try:
        importlib.import_module(module)
    except Exception as error:  # whatever a broken binary raises
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return ""
