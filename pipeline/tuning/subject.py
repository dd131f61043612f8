"""Whose weights are read, and the places of the brain that something is said of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.dataset.dataset import NAMED, Dataset
from pipeline.regions.annotation import NO_REGION
from pipeline.voxels.vertices import Vertices
from pipeline.voxels.volume import Mask

ALL = "all predicted voxels"


@dataclass(frozen=True)
class Subject:
    """Whose weights are read, and what is known of the voxels.

    Parameters
    ----------
    dataset : Dataset
        Where the responses are.
    name : str
        The subject.
    train, test : sequences of str
        The subject's stories.
    words : DataFrame
        Words of all stories.
    regions : mapping of parcellation to array of str, shape (n_voxels,)
        Region of every voxel, empty where there is none.
    space : Mask, Vertices or None
        Where the voxels are, as far as it is known.
    meshes : mapping of "left", "right" to path, optional
        Surfaces on which vertices are shown.
    """

    dataset: Dataset
    name: str
    train: Sequence[str]
    test: Sequence[str]
    words: pd.DataFrame
    regions: Mapping[str, np.ndarray]
    space: Mask | Vertices | None
    meshes: Mapping[str, str] | None = None

    @property
    def tr(self) -> float:
        """Repetition time, seconds."""
        return float(self.dataset.timing.get("tr", 2.0))

    @property
    def n_voxels(self) -> int:
        """Voxels, or vertices and what else has a value."""
        assert self.space is not None, "where voxels are is not known"
        return self.space.n_voxels if isinstance(self.space, Mask) else self.space.n_values

    @property
    def of_regions(self) -> bool:
        """Whether each voxel is a region with a name."""
        return NAMED in self.regions

    def places(self, chosen: np.ndarray) -> dict[str, np.ndarray]:
        """All of the `chosen` voxels, and those of every region, by their place among them."""
        return dict(self._places(chosen))

    def _places(self, chosen: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        yield ALL, np.arange(len(chosen))
        for parcellation, labels in self.regions.items():
            own = labels[chosen]
            for name in np.unique(own[own != NO_REGION]):
                yield f"{parcellation}: {name}", np.flatnonzero(own == name)


def evenly(n: int, most: int) -> np.ndarray:
    """At most `most` of `n` numbers from 0 on, evenly spaced, array of int."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(int))


def means(places: Sequence[np.ndarray], n: int) -> np.ndarray:
    """What takes values of `n` voxels to the means of places.

    Parameters
    ----------
    places : sequence of arrays of int
        Voxels of each place, of those 0..n-1.
    n : int
        Voxels.

    Returns
    -------
    array of shape (n, n_places), float32
        To be multiplied from the right; NaN for places without a voxel.
    """
    matrix = np.zeros((n, len(places)), np.float32)
    for i, voxels in enumerate(places):
        matrix[voxels, i] = 1 / len(voxels) if len(voxels) else 0
        if not len(voxels):
            matrix[:, i] = np.nan
    return matrix
