"""Whether all responses of named columns are of the same regions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.core.errors import Findings, ProblemError, some
from pipeline.core.hdf5 import REGIONS
from pipeline.readers.formats import is_hdf5, region_names
from pipeline.validation.records import Heard

_SAME = "give the story with all regions, exclude it, or list regions in `responses.columns`"
_SHARED = "nothing: means are over the subjects that have a region; or list in `responses.columns` "
_SHARED += "those that all have"
_NAMED = "give the column a name, or list the regions in `responses.columns`"
_ORDER = "write the columns in one order in all files of the subject"


def check_region_names(heard: Sequence[Heard], findings: Findings) -> None:
    """Compare the regions of all files: an error within a subject, a warning between subjects.

    Regions are taken by name, so that their order tells nothing; only HDF5, which is used as it is,
    has to have one order. Of files that cannot be read, `pipeline.validation.responses` tells.
    """
    first: tuple[Path, list[str]] | None = None
    for each in heard:
        own: tuple[Path, list[str]] | None = None
        for one in each.recordings:
            try:
                names = region_names(one.path, each.options)
            except ProblemError as error:
                findings.problems += [p for p in error.problems if p.place == REGIONS]
                continue
            if names is None:
                continue
            own = own or (one.path, names)
            if not all(names):
                findings.problem(one.path, "line 1", "a column has no name", _NAMED)
            if what := _difference(names, own):
                findings.problem(one.path, "line 1", what, _SAME)
            elif is_hdf5(one.path) and names != own[1]:
                what = f"the regions stand in another order than in {own[0]}"
                findings.problem(one.path, "regions", what, _ORDER)
        first = first or own
        if own and first and (what := _difference(own[1], first)):
            findings.warn(own[0], "line 1", f"{each.subject}: {what}", _SHARED)


def _difference(names: list[str], known: tuple[Path, list[str]]) -> str:
    """Which regions are not in both tables; empty if all are."""
    path, others = known
    here, there = set(names), set(others)
    missing = [name for name in others if name not in here]
    more = [name for name in names if name not in there]
    what = [f"there is no region {some(map(repr, missing))}, but in {path}"] if missing else []
    what += [f"the region {some(map(repr, more))} is not in {path}"] if more else []
    return "; ".join(what)
