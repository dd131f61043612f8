"""What every reader of responses gives."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np


class Values(Protocol):
    """Numbers of shape (rows, voxels) that are read when sliced, such as an HDF5 dataset."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, voxels)."""

    @property
    def dtype(self) -> np.dtype:
        """Type of the numbers."""

    def __getitem__(self, item: Any, /) -> np.ndarray:
        """Some of the numbers."""
