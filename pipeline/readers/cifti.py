"""Responses as CIFTI: a dense series (.dtseries.nii), every grayordinate a column."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.cifti2 import BrainModelAxis, SeriesAxis

from pipeline.core.errors import Problem, ProblemError
from pipeline.core.files import file_problem
from pipeline.readers.sidecar import check_tr
from pipeline.voxels.load import load_cifti
from pipeline.voxels.vertices import Vertices
from pipeline.voxels.volume import UNREADABLE

_FETCH = "fetch or copy the file again"


@contextmanager
def open_cifti(path: str | Path, tr: float | None = None) -> Iterator[Series]:
    """Open a dense series to read grayordinates out of it.

    Parameters
    ----------
    path : path
        A .dtseries.nii.
    tr : float, optional
        Repetition time that header and sidecar must state, seconds.

    Yields
    ------
    Series
        Array-like of shape (n_volumes, n_grayordinates), float32.

    Raises
    ------
    ProblemError
        If the file is missing or damaged (also while it is being read), is no dense series, or
        another repetition time is stated.
    """
    yield Series(path, _load(path, tr))


def shape_of(path: str | Path, tr: float | None = None) -> tuple[int, int]:
    """Volumes and grayordinates, by the header."""
    return Series(path, _load(path, tr)).shape


def vertices_of(path: str | Path) -> Vertices:
    """Which grayordinates lie where."""
    return Vertices.of_axis(_load(path, None).header.get_axis(1), path)


class Series:
    """The grayordinates of a run, read when sliced.

    Parameters
    ----------
    path : path
        The file, for error messages.
    img : Cifti2Image, shape (n_volumes, n_grayordinates)
        The run, its values unread.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, path: str | Path, img: nib.Cifti2Image) -> None:
        self.path, self._img = path, img
        self.shape = (int(img.shape[0]), int(img.shape[1]))

    def __getitem__(self, item: Any, /) -> np.ndarray:
        """Slices of volumes, or of volumes and grayordinates."""
        try:
            return np.array(self._img.dataobj[item], self.dtype)
        except UNREADABLE as error:
            raise ProblemError(Problem(self.path, "", f"truncated ({error})", _FETCH)) from error


def _load(path: str | Path, tr: float | None) -> nib.Cifti2Image:
    if problem := file_problem(path):
        raise ProblemError(problem)
    try:
        img = load_cifti(path)
        axes = [img.header.get_axis(i) for i in range(len(img.shape))]
        _check_axes(img, axes)
    except (*UNREADABLE, KeyError, IndexError, AttributeError, TypeError) as error:
        what = f"truncated or no CIFTI ({error})"
        raise ProblemError(Problem(path, "", what, _FETCH)) from error
    if [type(axis) for axis in axes] != [SeriesAxis, BrainModelAxis]:
        what = f"no dense series, but {' by '.join(type(axis).__name__ for axis in axes)}"
        raise ProblemError(Problem(path, "", what, "give the .dtseries.nii of the run"))
    check_tr(path, _stated(img), tr)
    return img


def _check_axes(img: nib.Cifti2Image, axes: list[Any]) -> None:
    """Raise a ValueError unless header, XML and the meshes that this names fit each other."""
    if (told := tuple(map(len, axes))) != img.shape:
        raise ValueError(f"its header says {img.shape}, its description {told}")
    for axis in (axis for axis in axes if isinstance(axis, BrainModelAxis)):
        for name, _, model in axis.iter_structures():
            there, n = model.vertex[model.surface_mask], axis.nvertices.get(name, 0)
            if len(np.unique(there)) < len(there) or (there >= n).any():
                raise ValueError(f"{name} has vertices twice, or beyond the {n} of its mesh")


def tr_of(path: str | Path) -> float | None:
    """Repetition time in the header, seconds; None where it says none."""
    return _stated(_load(path, None))


def _stated(img: nib.Cifti2Image) -> float | None:
    series = img.header.get_axis(0)
    return float(series.step) or None if series.unit == "SECOND" else None
