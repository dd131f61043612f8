"""What matching alone gives, whatever the passages say: a control for `meaning`.

Every passage has random numbers in place of what its words mean. A row's are their mean over the
passages it recalls, so rows that recall alike are alike: that is all that is known of them. Where
`meaning` gains no more, its columns say in words what the metric knows, and add nothing to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.core.random import generator
from pipeline.features.base import Kind
from pipeline.features.oasm import columns


def compute(
    there: Sequence[str], followed: Sequence[str], options: Mapping[str, Any]
) -> np.ndarray:
    """Random numbers of each passage, (n_passages, n_directions), float32."""
    rng = generator(options["seed"], "meaningless")
    return rng.standard_normal((len(there), options["directions"]), np.float32)


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
