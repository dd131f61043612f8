"""Words and numbers of names: what of them counts when two are compared."""

from __future__ import annotations

import re

from pipeline.readers.composed import composed

Parts = tuple[str, ...]
PART = re.compile(r"[^\W\d_]+|\d+|/")


def parts_of(name: str) -> Parts:
    """Words and numbers of a name, in lower case and without leading zeros; / separates folders."""
    found = PART.findall(composed(name))
    return tuple(p.lstrip("0") or "0" if p.isdecimal() else p.casefold() for p in found)


def starts(name: Parts, parts: Parts) -> list[int]:
    """Where a name's parts stand among others, each place by the index of its first part."""
    return [i for i in range(len(parts) - len(name) + 1) if parts[i : i + len(name)] == name]
