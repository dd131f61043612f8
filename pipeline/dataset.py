"""Where the files of a dataset are (the layout of ds003020), and how they are read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.errors import InputError, Problem
from pipeline.timing import Grid


@dataclass(frozen=True)
class Dataset:
    """Paths and readers of a dataset in the layout of ds003020.

    Parameters
    ----------
    root : Path
        The dataset's root, the folder that holds `derivative/`.
    timing : dict
        Keyword arguments of `pipeline.timing.Grid` beside `n_scanned`.
    """

    root: Path
    timing: dict[str, Any]

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Dataset:
        """Build from a complete configuration (`pipeline.config.complete`)."""
        timing = dict(config["timing"])
        timing["trim"] = tuple(timing["trim"])
        return cls(Path(config["data_root"]), timing)

    @property
    def respdict(self) -> Path:
        """JSON: story to number of scanned volumes."""
        return self.root / "derivative" / "respdict.json"

    @property
    def eng1000(self) -> Path:
        """HDF5 of the Eng1000 embedding that comes with the dataset."""
        return self.root / "derivative" / "english1000sm.hf5"

    @property
    def truth(self) -> Path:
        """Ground truth of a simulated dataset."""
        return self.root / "truth"

    def textgrid(self, story: str) -> Path:
        """TextGrid of a story."""
        return self.root / "derivative" / "TextGrids" / f"{story}.TextGrid"

    def responses(self, subject: str, story: str) -> Path:
        """HDF5 of a subject's responses to a story."""
        return self.root / "derivative" / "preprocessed_data" / subject / f"{story}.hf5"

    def grid(self, story: str) -> Grid:
        """TR grid of a story."""
        n_scanned = json.loads(self.respdict.read_text())
        if story not in n_scanned:
            raise InputError(
                Problem(self.respdict, story, "the story is not listed", "add its volume count")
            )
        return Grid(n_scanned=n_scanned[story], **self.timing)

    def n_voxels(self, subject: str, story: str) -> int:
        """Voxels in a subject's responses."""
        with h5py.File(self.responses(subject, story)) as file:
            return int(file["data"].shape[1])

    def read_responses(self, subject: str, story: str, voxels: slice = slice(None)) -> np.ndarray:
        """Responses, array of shape (n_rows, n_voxels), float32."""
        with h5py.File(self.responses(subject, story)) as file:
            return np.asarray(file["data"][:, voxels], dtype=np.float32)

    def read_repeats(
        self, subject: str, story: str, voxels: slice = slice(None)
    ) -> np.ndarray | None:
        """Presentations of a repeated story, (n_repeats, n_rows, n_voxels), float32, or None."""
        with h5py.File(self.responses(subject, story)) as file:
            if "individual_repeats" not in file or len(file["individual_repeats"]) < 2:
                return None
            return np.asarray(file["individual_repeats"][:, :, voxels], dtype=np.float32)
