"""The HDF5 file of a subject's noise ceiling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.atomic import LayoutFile
from pipeline.statistics.ceiling import ENDS, Estimate


@dataclass(frozen=True)
class Ceiling:
    """Noise ceiling of a subject's repeated test stories.

    Parameters
    ----------
    stories : list of str
        Test stories that were presented several times.
    n_repeats : list of int
        How often each.
    ev, ev_lo, ev_hi, ceiling : arrays of shape (n_stories, n_voxels)
        Explainable variance with its interval, and CCmax of the mean (NaN: none is known).
    reason : str
        Why there is no ceiling; empty if there is one.
    """

    stories: list[str]
    n_repeats: list[int]
    ev: np.ndarray
    ev_lo: np.ndarray
    ev_hi: np.ndarray
    ceiling: np.ndarray
    reason: str


class CeilingFile(LayoutFile):
    """A `Ceiling`, with its names.

    Datasets: `ev`, `ev_lo`, `ev_hi`, `ceiling` (n_stories, n_voxels), float32; `stories`
    (n_stories,), names as bytes. Attributes: `layout`, `subject`, `n_repeats` (n_stories,),
    `reason`.
    """

    LAYOUT = "ceiling/1"

    @classmethod
    @contextmanager
    def create(
        cls,
        path: str | Path,
        n_repeats: Mapping[str, int],
        n_voxels: int,
        attributes: Mapping[str, Any],
    ) -> Iterator[CeilingFile]:
        """Make a file for repeated stories, to be filled by blocks of voxels.

        Parameters
        ----------
        path : path
            HDF5 to write.
        n_repeats : dict of str to int
            Stories that were presented several times, and how often.
        n_voxels : int
            Voxels of the subject.
        attributes : dict
            Written as attributes of the file.
        """
        with cls._create(path) as made:
            for name in (*(f"ev{end}" for end in ENDS), "ceiling"):
                made._file.create_dataset(name, (len(n_repeats), n_voxels), np.float32)
            made._file["stories"] = np.array(list(n_repeats), dtype="S")
            made._file.attrs.update(attributes)
            made._file.attrs["n_repeats"] = list(n_repeats.values())
            yield made

    def write(self, story: int, voxels: slice, ev: Estimate, ceiling: np.ndarray) -> None:
        """Write EV and ceiling of a block of voxels in the i-th story, (n_block,)."""
        for end, values in zip(ENDS, ev, strict=True):
            self._file[f"ev{end}"][story, voxels] = values
        self._file["ceiling"][story, voxels] = ceiling

    def write_reason(self, reason: str) -> None:
        """Write why there is no ceiling; empty if there is one."""
        self._file.attrs["reason"] = reason

    def read(self) -> Ceiling:
        """Read all of it."""
        with self._open() as file:
            names = (*(f"ev{end}" for end in ENDS), "ceiling")
            ev, lo, hi, known = (np.asarray(file[name][:], np.float64) for name in names)
            stories = file["stories"].asstr()[:].tolist() if len(file["stories"]) else []
            n_repeats, reason = file.attrs["n_repeats"].tolist(), str(file.attrs["reason"])
        return Ceiling(stories, n_repeats, ev, lo, hi, known, reason)
