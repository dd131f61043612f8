"""The HDF5 file of a prediction for a new story."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pipeline.core.atomic import LayoutFile


class PredictionFile(LayoutFile):
    """Predicted responses to one story.

    Dataset `predictions`: (n_rows, n_voxels), float32, in units of the responses. Attributes:
    `layout`; `run`, `model` and `transcript`, the names of what it was made with.
    """

    LAYOUT = "prediction/1"

    @classmethod
    def write(cls, path: str | Path, predicted: np.ndarray, facts: Mapping[str, str]) -> None:
        """Write a prediction, (n_rows, n_voxels)."""
        with cls._create(path) as made:
            made._file["predictions"] = predicted.astype(np.float32)
            made._file.attrs.update(dict(facts))

    def predictions(self) -> np.ndarray:
        """The prediction, array of shape (n_rows, n_voxels)."""
        with self._open() as file:
            return np.asarray(file["predictions"][:])
