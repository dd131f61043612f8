"""Responses as GIFTI: a file of each hemisphere, every vertex of both a column."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nibabel as nib
import numpy as np

from pipeline.core.errors import Problem, ProblemError
from pipeline.core.files import file_problem
from pipeline.readers.hemispheres import left_of, other_hemisphere
from pipeline.readers.sidecar import check_tr
from pipeline.voxels.load import load_gifti
from pipeline.voxels.vertices import Vertices
from pipeline.voxels.volume import UNREADABLE

_FETCH = "fetch or copy the file again"
_TIME_STEP = "TimeStep"  # milliseconds, as FreeSurfer and AFNI write it
_STRUCTURE = "AnatomicalStructurePrimary"
_STRUCTURES = {"left": "CortexLeft", "right": "CortexRight"}


@contextmanager
def open_gifti(path: str | Path, tr: float | None = None) -> Iterator[np.ndarray]:
    """Read the vertices of both hemispheres, those of the left first.

    Parameters
    ----------
    path : path
        The left hemisphere's file (`hemi-L`, `lh.`); the right one's lies beside it.
    tr : float, optional
        Repetition time that metadata and sidecars must state, where they state one, seconds.

    Yields
    ------
    array of shape (n_volumes, n_vertices), float32

    Raises
    ------
    ProblemError
        If a hemisphere is missing, damaged, or has other volumes than the other; or another
        repetition time is stated.
    """
    left, right = _hemispheres(path, tr)
    yield np.concatenate([left, right], axis=1)


def shape_of(path: str | Path, tr: float | None = None) -> tuple[int, int]:
    """Volumes, and vertices of both hemispheres."""
    left, right = _hemispheres(path, tr)
    return len(left), left.shape[1] + right.shape[1]


def vertices_of(path: str | Path) -> Vertices:
    """Where the columns lie on the surface."""
    left, right = _hemispheres(path, None)
    return Vertices.of_pair(left.shape[1], right.shape[1], path)


def _hemispheres(path: str | Path, tr: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Values of both hemispheres, (n_volumes, n_vertices)."""
    right = other_hemisphere(Path(path))
    if right is None:
        what = "the name says no left hemisphere (hemi-L, or lh)"
        if left := left_of(Path(path)):
            there = "is there" if left.is_file() else "is not there"
            what = f"this is the right hemisphere alone; the left one, {left.name}, {there}"
        remedy = "name the left one of two files that differ in hemi-L and hemi-R (or lh and rh)"
        raise ProblemError(Problem(path, "", what, remedy))
    values, problems = [], []
    for side, file in (("left", Path(path)), ("right", right)):
        try:
            values.append(_values(file, tr, side))
        except ProblemError as error:
            place = f"{side} hemisphere"
            problems += [Problem(p.file, place, p.what, p.remedy) for p in error.problems]
    if problems:
        raise ProblemError(problems)
    if len(values[0]) != len(values[1]):
        what = f"{len(values[1])} volumes, but {len(values[0])} in the left hemisphere"
        raise ProblemError(Problem(right, "right hemisphere", what, _FETCH))
    if np.array_equal(values[0], values[1], equal_nan=True):
        what = f"both hemispheres are of the same values ({Path(path).name} and {right.name})"
        raise ProblemError(Problem(path, "", what, _FETCH))
    return values[0], values[1]


def tr_of(path: str | Path) -> float | None:
    """Repetition time in the metadata, seconds; None where there is none."""
    return _read(Path(path))[1]


def _values(path: Path, tr: float | None, side: str) -> np.ndarray:
    values, stated, structure = _read(path)
    if structure in _STRUCTURES.values() and structure != _STRUCTURES[side]:
        what = f"the file says that it is of the other hemisphere ({structure})"
        raise ProblemError(Problem(path, _STRUCTURE, what, "give each hemisphere its own file"))
    check_tr(path, stated, tr)
    return values


def _read(path: Path) -> tuple[np.ndarray, float | None, str | None]:
    """Values of one file, (n_volumes, n_vertices); repetition time and structure that it states."""
    if problem := file_problem(path):
        raise ProblemError(problem)
    try:
        image = load_gifti(path)
        arrays = [np.asarray(array.data) for array in image.darrays]
        one = arrays[0].ndim == 2 and len(arrays) == 1  # all volumes in one array, (vertex, volume)
        values = arrays[0].T if one else np.stack(arrays)
    except (*UNREADABLE, LookupError, AttributeError, TypeError) as error:
        what = f"truncated or no GIFTI series ({error})"
        raise ProblemError(Problem(path, "", what, _FETCH)) from error
    if values.ndim != 2 or values.dtype.kind not in "fiu":
        what = f"the arrays have shape {values.shape[1:]} and hold {values.dtype}"
        raise ProblemError(Problem(path, "", what, "give a series: one number a vertex and volume"))
    structure = _stated(image, _STRUCTURE)
    return values.astype(np.float32), _time_step(image), structure


def _time_step(image: nib.GiftiImage) -> float | None:
    """Repetition time in the metadata, seconds; None where there is none."""
    try:
        return float(_stated(image, _TIME_STEP) or "") / 1000
    except ValueError:
        return None


def _stated(image: nib.GiftiImage, key: str) -> str | None:
    """What the metadata of the file, or of its first array, say."""
    stated = (meta.get(key) for meta in (image.meta, image.darrays[0].meta))
    return next((text for text in stated if text), None)
