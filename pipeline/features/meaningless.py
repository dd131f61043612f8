"""What matching alone gives, whatever the passages say: a control for `meaning`.

Every passage has random numbers in place of what its words mean. A row's are their mean over the
passages it recalls, so rows that recall alike are alike: the more passages a row has, the more of
the metric's own states comes back this way. What `meaning` gains above it, words tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.core.random import generator
from pipeline.features.base import Kind


def compute(
    there: Sequence[str], followed: Sequence[str], options: Mapping[str, Any]
) -> np.ndarray:
    """Random numbers of each passage, (n_passages, n_directions), float32."""
    rng = generator(options["seed"], "meaningless")
    return rng.standard_normal((len(there), options["directions"]), np.float32)


def columns(options: Mapping[str, Any]) -> list[str]:
    """Directions have no meaning, only numbers."""
    return [f"direction {i}" for i in range(1, options["directions"] + 1)]


KIND = Kind(
    "meaningless",
    "memory",
    compute,
    zscore="story",
    options={"of": None, "directions": 985, "seed": 0},
    required=("of",),
    columns=columns,
    readable=False,
)
