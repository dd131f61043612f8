"""The HDF5 file of a band: its features of all stories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from pipeline.core.layout import LayoutFile


class BandFile(LayoutFile):
    """Features of every story, before scaling and delays.

    Datasets `STORY`: (n_rows, n_features), float32, one a story. Attributes: `layout`; of bands
    made by a language model what `Kind.origin` says of it (`model`, `model_type`).
    """

    LAYOUT = "band/1"

    @classmethod
    @contextmanager
    def create(
        cls, path: str | Path, origin: Mapping[str, str] | None = None
    ) -> Iterator[BandFile]:
        """Make a file, with the model that the features are made by."""
        with cls._create(path) as made:
            made._file.attrs.update(origin or {})
            yield made

    def write(self, story: str, values: np.ndarray, compression: str | None = None) -> None:
        """Write the features of a story, (n_rows, n_features)."""
        self._file.create_dataset(story, data=values.astype(np.float32), compression=compression)

    def read(self, stories: Sequence[str]) -> dict[str, np.ndarray]:
        """Features of stories, arrays of shape (n_rows, n_features), double."""
        with self._open() as file:
            return {story: np.asarray(file[story], np.float64) for story in stories}
