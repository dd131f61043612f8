"""The HDF5 file of a fit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np


@dataclass(frozen=True)
class Scores:
    """Correlations of one subject and model, as `pipeline.fit.run` writes them."""

    bands: list[str]
    train: list[str]
    r: np.ndarray
    r_concat: np.ndarray
    r_cv: np.ndarray
    r_train: np.ndarray

    @classmethod
    def read(cls, path: str | Path) -> Scores:
        """Read from the fit's HDF5."""
        with h5py.File(path) as file:
            return cls(
                file["bands"].asstr()[:].tolist(),
                file["train"].asstr()[:].tolist(),
                *(np.asarray(file[k][:], np.float64) for k in ("r", "r_concat", "r_cv", "r_train")),
            )
