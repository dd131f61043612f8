"""Two files of one recording, a hemisphere each: the left one's name stands for both."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

# What tells a hemisphere in a file's name: BIDS' entity, or FreeSurfer's beginning.
_LEFT = re.compile(r"(?<![A-Za-z0-9])(hemi-)L(?![A-Za-z0-9])|(?<![A-Za-z0-9])()lh(?![A-Za-z0-9])")

_RIGHT = re.compile(r"(?<![A-Za-z0-9])(hemi-)R(?![A-Za-z0-9])|(?<![A-Za-z0-9])()rh(?![A-Za-z0-9])")


def other_hemisphere(left: Path) -> Path | None:
    """The file of the right hemisphere beside that of the left; None if the name tells of none."""
    name, n = _LEFT.subn(lambda m: f"{m[1]}R" if m[1] else "rh", left.name)
    return left.with_name(name) if n else None


def left_of(right: Path) -> Path | None:
    """The file of the left hemisphere beside that of the right; None if the name tells of none."""
    name, n = _RIGHT.subn(lambda m: f"{m[1]}L" if m[1] else "lh", right.name)
    return right.with_name(name) if n else None


def as_pair(files: Sequence[Path]) -> list[Path]:
    """The files without the right hemispheres of those that are there."""
    right = {other_hemisphere(file) for file in files} - {None}
    return [file for file in files if file not in right]
