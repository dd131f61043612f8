"""The seeded generators of every random choice."""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, *names: str) -> np.random.Generator:
    """Random generator of its own for a seed and names, whatever the order of work."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])
