"""Responses as a NIfTI run: the voxels of a mask, volume by volume."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from pipeline.core.errors import Problem, ProblemError
from pipeline.core.files import file_problem
from pipeline.readers.sidecar import check_tr
from pipeline.voxels.load import load_image
from pipeline.voxels.volume import UNREADABLE, Mask, check_numbers

_FETCH = "fetch or copy the file again"
_SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6, "unknown": 1.0}


@contextmanager
def open_nifti(
    path: str | Path, mask: Mask | None = None, tr: float | None = None
) -> Iterator[Run]:
    """Open a run to read the voxels of a mask out of it.

    Parameters
    ----------
    path : path
        A 4-D image (x, y, z, volume) on the mask's grid.
    mask : Mask
        Which voxels, in which order.
    tr : float, optional
        Repetition time that the header must state, seconds; one of 0 states nothing.

    Yields
    ------
    Run
        Array-like of shape (n_volumes, n_voxels), float32.

    Raises
    ------
    ProblemError
        If there is no mask, the file is missing or damaged (also while it is being read), the
        image is not 4-D or not on the mask's grid, or its header states another repetition time.
    """
    yield Run(path, *_load(path, mask, tr))


class Run:
    """The voxels of a mask in a run, read volume by volume when sliced: memory holds no more.

    Parameters
    ----------
    path : path
        The file, for error messages.
    img : Nifti1Image, shape (x, y, z, n_volumes)
        The run, its values unread.
    mask : Mask
        Which voxels, in which order.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, path: str | Path, img: nib.Nifti1Image, mask: Mask) -> None:
        self.path, self._img, self._voxels = path, img, mask.voxels
        self.shape = (int(img.shape[3]), mask.n_voxels)

    def __getitem__(self, item: Any, /) -> np.ndarray:
        """Slices of volumes, or of volumes and voxels."""
        volumes, voxels = item if isinstance(item, tuple) else (item, slice(None))
        wanted, places = np.arange(self.shape[0])[volumes], tuple(self._voxels[voxels].T)
        values = np.empty((len(wanted), len(places[0])), self.dtype)
        try:
            for row, volume in enumerate(wanted.tolist()):
                values[row] = np.asarray(self._img.dataobj[..., volume])[places]
        except UNREADABLE as error:
            raise ProblemError(Problem(self.path, "", f"truncated ({error})", _FETCH)) from error
        return values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """All values."""
        return self[:].astype(dtype or self.dtype, copy=False)


def shape_of(
    path: str | Path, mask: Mask | None = None, tr: float | None = None
) -> tuple[int, int]:
    """Volumes of a run, by its header, and voxels of the mask."""
    img, mask = _load(path, mask, tr)
    return int(img.shape[3]), mask.n_voxels


def tr_of(path: str | Path) -> float | None:
    """Repetition time in the header, seconds; None where it says none."""
    return _stated(_image(path).header)


def _image(path: str | Path) -> nib.Nifti1Image:
    """The image, its values unread."""
    if problem := file_problem(path):
        raise ProblemError(problem)
    try:
        return load_image(path, keep_file_open=True)
    except ProblemError:
        raise
    except UNREADABLE as error:
        raise ProblemError(Problem(path, "", f"truncated or no NIfTI ({error})", _FETCH)) from error


def _load(path: str | Path, mask: Mask | None, tr: float | None) -> tuple[nib.Nifti1Image, Mask]:
    """The image, its values unread, and the mask, which it fits."""
    img = _image(path)
    if mask is None:
        remedy = "set `mask`, the voxels that the responses are taken from"
        raise ProblemError(Problem(path, "mask", "a NIfTI run needs a mask", remedy))
    check_numbers(path, img)
    if img.ndim != 4:
        what = f"the image has {img.ndim} dimensions, not 4 (x, y, z, volume)"
        raise ProblemError(Problem(path, "shape", what, "give the run, one volume a TR"))
    _check_grid(path, img, mask)
    check_tr(path, _stated(img.header), tr)
    return img, mask


def _check_grid(path: str | Path, img: nib.Nifti1Image, mask: Mask) -> None:
    """Raise unless the volumes lie on the mask's grid."""
    if img.shape[:3] != mask.img.shape:
        what = f"the volumes have shape {img.shape[:3]}, the mask {mask.img.shape}"
    elif not np.allclose(img.affine, mask.img.affine, atol=1e-3):
        what = "run and mask have different affines"
    else:
        return
    remedy = "resample the run or the mask to the other's grid"
    raise ProblemError(Problem(path, f"mask {mask.source}", what, remedy))


def _stated(header: nib.Nifti1Header) -> float | None:
    """Repetition time in a header, seconds; None where there is none."""
    zooms = header.get_zooms()
    seconds = _SECONDS.get(header.get_xyzt_units()[1], 1.0)
    return (float(zooms[3]) * seconds or None) if len(zooms) > 3 else None
