"""The HDF5 file of a model's weights: all that a prediction for a new story needs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.bands.registry import BandOptions
from pipeline.core.atomic import LayoutFile
from pipeline.core.errors import Problem, ProblemError
from pipeline.fit.design import Band, Preparation

ALL = slice(None)
CHUNK = 2**19  # values of a chunk: 1 MB, which h5py's cache holds
LARGEST = 2**15 - 1  # of a voxel's whole numbers
PREPARATION = ("mean", "scale", "components")


@dataclass(frozen=True, eq=False)
class KeptBand:
    """What a file says of a band beside its weights.

    Parameters
    ----------
    name : str
        The band.
    options : BandOptions
        Its options, with those of its kind, but for the places of files.
    delays : tuple of int
        FIR delays, TRs.
    preparation : Preparation
        From features to the columns that are delayed.
    columns : list of str or None
        Names of the features, where they have any.
    digests : mapping of str to str
        SHA-256 of what the band was made with, by what it is (`pipeline.bands.identity`).
    """

    name: str
    options: BandOptions
    delays: tuple[int, ...]
    preparation: Preparation
    columns: list[str] | None
    digests: Mapping[str, str]


class WeightsFile(LayoutFile):
    """Weights of one model of one subject, a group a band.

    ======================  ===============================  ======================================
    dataset                 shape                            what
    ======================  ===============================  ======================================
    `BAND/weights`          (n_delays, n_columns, n_voxels)  int16, in units of `unit` / `size`;
                                                             n_delays is 1 where they are summed
    `BAND/unit`             (n_voxels,)                      float32
    `BAND/size`             (n_columns,)                     float32, root mean square of a column,
                                                             as small components have large weights
    `BAND/delays`           (n_delays,)                      TRs, also where they are summed
    `BAND/mean`, `scale`    (n_features,)                    of the training stories, double; none
                                                             where columns are z-scored by story
    `BAND/components`       (n_features, n_columns)          double; none where columns stay
    `intercept`             (n_voxels,)                      float32
    ======================  ===============================  ======================================

    A prediction is the intercept and, over bands and delays, the prepared columns
    (`pipeline.fit.design.Preparation`) so many rows before times their weights, in units of the
    responses. `BAND/columns` are the features' names, where they have any. Attributes of the file:
    `layout`, `bands` (their order), `summed`, `subject`, `model`, `provenance`; of a band:
    `options` and `digests` (JSON). Weights are compressed in chunks of all columns and some voxels.
    Whole numbers of 16 bits with a unit a voxel and band are within 1/65,534 of its largest
    contribution; halves (float16) would be within 1/2,048 of each, and predictions ten times off.
    """

    LAYOUT = "weights/1"

    @classmethod
    @contextmanager
    def create(
        cls,
        path: str | Path,
        *,
        bands: Sequence[tuple[Band, KeptBand]],
        n_voxels: int,
        summed: bool,
        attributes: Mapping[str, Any],
    ) -> Iterator[WeightsFile]:
        """Make a file, to be filled by blocks of voxels.

        Parameters
        ----------
        path : path
            HDF5 to write.
        bands : sequence of (Band, KeptBand)
            The design's bands, and what is kept of each.
        n_voxels : int
            Voxels.
        summed : bool
            Whether the delays' weights are added up: half the use for a quarter of the room.
        attributes : mapping
            Written as attributes of the file.
        """
        with cls._create(path) as made:
            file = made._file
            file.create_dataset("intercept", (n_voxels,), np.float32)
            file.attrs.update(dict(attributes) | {"summed": summed})
            file.attrs["bands"] = [band.name for band, _ in bands]
            for band, kept in bands:
                _describe(file.create_group(band.name), band, kept, n_voxels, summed)
            yield made

    def write(
        self, voxels: slice, bands: Sequence[Band], weights: np.ndarray, intercept: np.ndarray
    ) -> None:
        """Write a block of voxels.

        Parameters
        ----------
        voxels : slice
            The block.
        bands : sequence of Band
            As given to `create`.
        weights : array of shape (n_columns, n_block)
            Of the design's columns.
        intercept : array of shape (n_block,)
            Intercepts.
        """
        self._file["intercept"][voxels] = intercept
        start, summed = 0, bool(self._file.attrs["summed"])
        for band in bands:
            own = weights[start : start + band.n_columns]
            start += band.n_columns
            by_delay = own.reshape(len(band.delays), -1, own.shape[1])
            factors = np.asarray(band.weights, np.float32)[:, None, None]
            by_delay = by_delay * factors
            if summed:
                by_delay = by_delay.sum(axis=0, keepdims=True)
            group = self._file[band.name]
            by_delay *= group["size"][:][:, None]
            unit = np.abs(by_delay).max(axis=(0, 1)) / np.float32(LARGEST)
            unit = np.where(unit > 0, unit, 1).astype(np.float32)
            group["unit"][voxels] = unit
            group["weights"][:, :, voxels] = np.rint(by_delay / unit).astype(np.int16)

    def attributes(self) -> dict[str, Any]:
        """Attributes of the file."""
        with self._open() as file:
            return dict(file.attrs)

    def bands(self) -> list[KeptBand]:
        """The bands in the design's order, without their weights."""
        with self._open() as file:
            return [_kept(name, file[name]) for name in file.attrs["bands"]]

    def n_voxels(self) -> int:
        """Voxels."""
        with self._open() as file:
            return len(file["intercept"])

    def summed(self) -> bool:
        """Whether the delays' weights are added up."""
        with self._open() as file:
            return bool(file.attrs["summed"])

    def intercept(self, voxels: slice | np.ndarray = ALL) -> np.ndarray:
        """Intercepts, array of shape (n_voxels,)."""
        with self._open() as file:
            return file["intercept"][:][voxels]

    def weights(self, band: str, voxels: slice | np.ndarray = ALL) -> np.ndarray:
        """Weights of a band, (n_delays, n_columns, n_voxels), float32, units of the responses.

        Parameters
        ----------
        band : str
            The band.
        voxels : slice or array of int
            Which voxels.

        Raises
        ------
        ProblemError
            If the model has no such band.
        """
        with self._open() as file:
            if band not in file.attrs["bands"]:
                what, known = f"there is no band {band!r}", ", ".join(file.attrs["bands"])
                raise ProblemError(Problem(self.path, "bands", what, f"use one of {known}"))
            group = file[band]
            whole = _take(group["weights"], voxels).astype(np.float32)
            return whole * group["unit"][:][voxels] / group["size"][:][:, None]


def _describe(group: h5py.Group, band: Band, kept: KeptBand, n_voxels: int, summed: bool) -> None:
    """Write all of a band but its weights, for which room is made."""
    n_delays = 1 if summed else len(band.delays)
    n_columns = band.n_columns // len(band.delays)
    width = min(max(CHUNK // (n_delays * n_columns), 1), n_voxels)
    group.create_dataset(
        "weights",
        (n_delays, n_columns, n_voxels),
        np.int16,
        chunks=(n_delays, n_columns, width),
        compression="gzip",
        compression_opts=1,
        shuffle=True,
    )
    group.create_dataset("unit", (n_voxels,), np.float32)
    squares = sum(np.square(v, dtype=np.float64).sum(axis=0) for v in band.values.values())
    size = np.sqrt(squares / sum(map(len, band.values.values())))
    group["size"] = np.where(size > 0, size, 1).astype(np.float32)
    group["delays"] = np.asarray(kept.delays, int)
    for name in PREPARATION:
        if (values := getattr(kept.preparation, name)) is not None:
            group[name] = values
    group.attrs["options"] = json.dumps(kept.options.as_mapping(), sort_keys=True)
    group.attrs["digests"] = json.dumps(dict(kept.digests), sort_keys=True)
    if kept.columns is not None:
        group["columns"] = np.array(kept.columns, dtype=h5py.string_dtype())


def _take(data: h5py.Dataset, voxels: slice | np.ndarray) -> np.ndarray:
    """Some voxels, (n_delays, n_columns, n_voxels), a chunk at a time: h5py's lists are slow."""
    if isinstance(voxels, slice):
        return data[:, :, voxels]
    width = data.chunks[2]
    found = np.empty((*data.shape[:2], len(voxels)), data.dtype)
    for chunk in np.unique(voxels // width):
        here = np.flatnonzero(voxels // width == chunk)
        start = int(chunk) * width
        found[:, :, here] = data[:, :, start : start + width][:, :, voxels[here] - start]
    return found


def _kept(name: str, group: h5py.Group) -> KeptBand:
    """What `_describe` wrote."""
    found = {key: group[key][:] for key in PREPARATION if key in group}
    return KeptBand(
        name,
        BandOptions.read(json.loads(group.attrs["options"])),
        tuple(map(int, group["delays"])),
        Preparation(**found),
        group["columns"].asstr()[:].tolist() if "columns" in group else None,
        json.loads(group.attrs["digests"]),
    )
