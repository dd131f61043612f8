"""Responses as a NIfTI run: the voxels of a mask, volume by volume."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nibabel as nib
import numpy as np

from pipeline.core.errors import Problem, ProblemError
from pipeline.core.files import file_problem
from pipeline.voxels.volume import UNREADABLE, Mask, check_numbers

TR_TOLERANCE = 0.01  # relative; ds003020's nominal 2 s are 2.0045 s
_FETCH = "fetch or copy the file again"
_SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6, "unknown": 1.0}


@contextmanager
def open_nifti(
    path: str | Path, mask: Mask | None = None, tr: float | None = None
) -> Iterator[np.ndarray]:
    """Read the voxels of a mask out of a run.

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
    array of shape (n_volumes, n_voxels), float32

    Raises
    ------
    ProblemError
        If there is no mask, the file is missing or damaged, the image is not 4-D or not on the
        mask's grid, or its header states another repetition time.
    """
    img, mask = _load(path, mask, tr)
    try:
        volumes = img.get_fdata(caching="unchanged", dtype=np.float32)
    except UNREADABLE as error:
        raise ProblemError(Problem(path, "", f"truncated ({error})", _FETCH)) from error
    yield np.ascontiguousarray(volumes[tuple(mask.voxels.T)].T, dtype=np.float32)


def shape_of(
    path: str | Path, mask: Mask | None = None, tr: float | None = None
) -> tuple[int, int]:
    """Volumes of a run, by its header, and voxels of the mask."""
    img, mask = _load(path, mask, tr)
    return int(img.shape[3]), mask.n_voxels


def _load(path: str | Path, mask: Mask | None, tr: float | None) -> tuple[nib.Nifti1Image, Mask]:
    """The image, its values unread, and the mask, which it fits."""
    if problem := file_problem(path):
        raise ProblemError(problem)
    if mask is None:
        remedy = "set `mask`, the voxels that the responses are taken from"
        raise ProblemError(Problem(path, "mask", "a NIfTI run needs a mask", remedy))
    try:
        img = nib.nifti1.load(path)
    except UNREADABLE as error:
        raise ProblemError(Problem(path, "", f"truncated or no NIfTI ({error})", _FETCH)) from error
    check_numbers(path, img)
    if img.ndim != 4:
        what = f"the image has {img.ndim} dimensions, not 4 (x, y, z, volume)"
        raise ProblemError(Problem(path, "shape", what, "give the run, one volume a TR"))
    _check_grid(path, img, mask)
    _check_tr(path, img.header, tr)
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


def _check_tr(path: str | Path, header: nib.Nifti1Header, expected: float | None) -> None:
    stated = float(header.get_zooms()[3]) * _SECONDS.get(header.get_xyzt_units()[1], 1.0)
    if expected and stated and abs(stated - expected) > TR_TOLERANCE * expected:
        what = f"the header's repetition time is {stated:g} s, `timing.tr` is {expected:g} s"
        remedy = "correct `timing.tr`, or the header if that is wrong"
        raise ProblemError(Problem(path, "header", what, remedy))
