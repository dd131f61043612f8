"""Random matcher: any earlier row, all equally likely."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.dataset.story import Story
from pipeline.matching.matches import NO_MATCH, Matches

OPTIONS: dict[str, Any] = {}


def match(
    story: Story, newest: np.ndarray, rng: np.random.Generator, options: Mapping[str, Any]
) -> Matches:
    """Draw each row's match uniformly from the rows it may match."""
    draw = rng.random(len(newest))  # one draw a row, used or not: rows do not shift each other
    chosen = np.floor(draw * np.maximum(newest + 1, 0)).astype(int)
    return Matches.hard(np.where(newest >= 0, chosen, NO_MATCH), np.ones(len(newest)))
