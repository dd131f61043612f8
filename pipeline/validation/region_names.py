"""Whether a region stands in the same column of all tables of responses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.core.errors import Findings, ProblemError, some
from pipeline.readers.formats import region_names
from pipeline.validation.records import Heard

_REMEDY = "list the regions in `responses.columns`: they are then taken by name, in that order"


def check_region_names(heard: Sequence[Heard], findings: Findings) -> None:
    """Compare the regions of tables: an error within a subject, a warning between subjects.

    Tables that cannot be read are passed over: `pipeline.validation.responses` tells of them.
    """
    first: tuple[Path, list[str]] | None = None
    for each in heard:
        own: tuple[Path, list[str]] | None = None
        for one in each.recordings:
            try:
                names = region_names(one.path, each.options)
            except ProblemError:
                continue
            if names is None:
                continue
            own = own or (one.path, names)
            if what := _difference(names, own):
                findings.problem(one.path, "line 1", what, _REMEDY)
        first = first or own
        if own and first and (what := _difference(own[1], first)):
            findings.warn(own[0], "line 1", what, _REMEDY)


def _difference(names: list[str], known: tuple[Path, list[str]]) -> str:
    """How names differ from those of another table; empty if they do not."""
    path, others = known
    if names == others:
        return ""
    here, there = set(names), set(others)
    if missing := [name for name in others if name not in here]:
        return f"there is no region {some(map(repr, missing))}, but in {path}"
    if more := [name for name in names if name not in there]:
        return f"the region {some(map(repr, more))} is not in {path}"
    moved = [name for name, other in zip(names, others, strict=True) if name != other]
    return f"the regions {some(map(repr, moved))} stand in another order than in {path}"
