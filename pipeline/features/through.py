"""What another band says at the passages most like the context: its columns, through a memory.

A passage stands for the other band's row there, and a row for the mean over the passages it
recalls. Through a few passages a black box says no more than is in them, and they can be read;
through them a band with named columns says what it says of the moments that are alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.features.base import Kind


def compute(there: Sequence[str], followed: Sequence[str], options: Mapping[str, Any]) -> None:
    """Nothing of passages' words: the other band's rows are read when they are wanted."""


KIND = Kind(
    "through",
    "memory",
    compute,
    zscore="story",
    options={"of": None, "band": None},
    required=("of", "band"),
)
