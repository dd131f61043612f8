"""Voxel vectors and volumes: a mask says which voxel of the vector lies where in the brain."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError, HeaderTypeError

from pipeline.core.errors import Problem, ProblemError, some
from pipeline.voxels.load import load_image

ORDERS = ("xyz", "zyx")
SPACES = ("native", "MNI")
NIFTI = (".nii", ".nii.gz")
UNREADABLE = (  # what nibabel raises for images that are damaged, their headers among them
    ImageFileError,
    HeaderDataError,
    HeaderTypeError,
    ArithmeticError,
    EOFError,
    MemoryError,
    OSError,
    ValueError,
    zlib.error,
)


@dataclass(frozen=True, eq=False)
class Mask:
    """The voxels of a subject's responses, as places in a volume.

    Parameters
    ----------
    img : Nifti1Image, shape (x, y, z)
        0 outside and one other number inside the mask, unless there is a threshold.
    order : {"xyz", "zyx"}
        How the voxel vector runs through the mask: "xyz", the last axis (z) fastest, which is
        `data[mask]` in nilearn; "zyx", the first axis (x) fastest, which is pycortex's way.
    space : {"native", "MNI"}
        Whether world coordinates are the scanner's or MNI152's.
    source : str
        The file, for error messages.
    threshold : float, optional
        Voxels above it are inside; those that are NaN are not.

    Raises
    ------
    ProblemError
        The image is not 3-D, has no voxel inside, or has more than two values (or NaN) and there
        is no threshold; `order` or `space` is unknown.
    """

    img: nib.Nifti1Image
    order: str = "xyz"
    space: str = "native"
    source: str = "mask"
    threshold: float | None = None

    def __post_init__(self) -> None:
        for key, value, known in [("order", self.order, ORDERS), ("space", self.space, SPACES)]:
            if value not in known:
                raise self._error(key, f"unknown {key} {value!r}", f"use {' or '.join(known)}")
        if self.img.ndim != 3:
            what = f"the mask's shape is {self.img.shape}, not 3-D"
            raise self._error("shape", what, "give a 3-D image (x, y, z)")
        if self.n_voxels == 0:
            raise self._error("", "no voxel is inside the mask", "give the mask of the responses")

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        order: str = "xyz",
        space: str = "native",
        threshold: float | None = None,
    ) -> Mask:
        """Read a NIfTI mask.

        Raises
        ------
        ProblemError
            The file is missing or is not an image (an unfetched git-annex pointer, say).
        """
        return cls(read_image(path), order, space, str(path), threshold)

    @classmethod
    def from_config(cls, config: dict[str, Any], subject: str) -> Mask:
        """Read the mask of a subject as the configuration's key `mask` describes it.

        Parameters
        ----------
        config : dict
            `path` ({subject} is replaced), `order`, `space`, `threshold`.
        subject : str
            The subject's label.
        """
        path = str(config["path"]).replace("{subject}", subject)
        own = {key: config[key] for key in ("order", "space", "threshold") if key in config}
        return cls.from_file(path, **own)

    @cached_property
    def voxels(self) -> np.ndarray:
        """Array indices (i, j, k) of every voxel in the vector's order, shape (n_voxels, 3)."""
        inside = self._inside(np.asanyarray(self.img.dataobj))
        return np.argwhere(inside) if self.order == "xyz" else np.argwhere(inside.T)[:, ::-1]

    def _inside(self, values: np.ndarray) -> np.ndarray:
        """Which voxels are inside; without a threshold, those that hold the one number beside 0."""
        if self.threshold is not None:
            return values > self.threshold
        inside = values != 0
        if not np.isfinite(values).all():
            what = "the mask holds NaN or infinities"
        elif len(found := np.unique(values[inside])) > 1:
            shown = some((f"{value:g}" for value in found), 3)
            what = f"the mask holds {len(found)} numbers beside 0 ({shown}): which is inside?"
        else:
            return inside
        remedy = (
            "give a mask of 0 and 1, or set `mask.threshold`: voxels above it are inside (0.5 for "
            "probabilities and what was resampled, 0 where outside is -1 or NaN)"
        )
        raise self._error("values", what, remedy)

    @property
    def n_voxels(self) -> int:
        """Voxels inside the mask."""
        return len(self.voxels)

    def check_count(self, n: int, place: str = "") -> None:
        """Raise ProblemError unless `n`, a number of values, is the number of voxels."""
        if n != self.n_voxels:
            raise self._error(
                place,
                f"the mask has {self.n_voxels} voxels, the data {n}",
                "give the mask that the responses were extracted with",
            )

    def _error(self, place: str, what: str, remedy: str) -> ProblemError:
        return ProblemError(Problem(self.source, place, what, remedy))


def to_volume(values: np.ndarray, mask: Mask, fill: float = np.nan) -> nib.Nifti1Image:
    """Put a voxel vector back into the brain.

    Parameters
    ----------
    values : array of shape (n_voxels,)
        One number a voxel, in the mask's order.
    mask : Mask
        Where the voxels are.
    fill : float
        Value outside the mask.

    Returns
    -------
    Nifti1Image, shape (x, y, z), float32
        On the mask's grid, with its affine.

    Raises
    ------
    ProblemError
        `values` is not one number for each voxel of the mask.
    """
    values = np.asarray(values)
    if values.ndim != 1:
        raise mask._error("values", f"the data have shape {values.shape}", "give one vector")
    mask.check_count(len(values), "values")
    volume = np.full(mask.img.shape, fill, dtype=np.float32)
    volume[tuple(mask.voxels.T)] = values
    return nib.Nifti1Image(volume, mask.img.affine, _header(mask.img))


def to_volumes(values: np.ndarray, mask: Mask, tr: float) -> nib.Nifti1Image:
    """Put a time series of voxel vectors back into the brain.

    Parameters
    ----------
    values : array of shape (n_rows, n_voxels)
        One number a row and voxel, in the mask's order.
    mask : Mask
        Where the voxels are.
    tr : float
        Seconds from row to row.

    Returns
    -------
    Nifti1Image, shape (x, y, z, n_rows), float32
        On the mask's grid, 0 outside.
    """
    mask.check_count(values.shape[1], "values")
    volume = np.zeros((*mask.img.shape, len(values)), dtype=np.float32)
    volume[tuple(mask.voxels.T)] = values.T
    image = nib.Nifti1Image(volume, mask.img.affine, _header(mask.img))
    image.header.set_xyzt_units(image.header.get_xyzt_units()[0], "sec")
    image.header.set_zooms((*mask.img.header.get_zooms()[:3], tr))
    return image


def to_vector(img: nib.Nifti1Image, mask: Mask) -> np.ndarray:
    """Take the voxels of the mask out of a volume.

    Parameters
    ----------
    img : Nifti1Image, shape (x, y, z)
        On the mask's grid.
    mask : Mask
        Which voxels, in which order.

    Returns
    -------
    array of shape (n_voxels,)

    Raises
    ------
    ProblemError
        The image's shape or affine is not the mask's.
    """
    remedy = "resample the image to the mask's grid"
    if img.shape != mask.img.shape:
        what = f"the image has shape {img.shape}, the mask {mask.img.shape}"
        raise mask._error("shape", what, remedy)
    if not np.allclose(img.affine, mask.img.affine, atol=1e-3):
        raise mask._error("affine", "image and mask have different affines", remedy)
    return np.asanyarray(img.dataobj)[tuple(mask.voxels.T)]


def _header(img: nib.Nifti1Image) -> nib.Nifti1Header:
    """Space and units of `img`, for an image of float32 on the same grid."""
    header = nib.Nifti1Header()
    if isinstance(img.header, nib.Nifti1Header):
        space, time = img.header.get_xyzt_units()
        header.set_xyzt_units("mm" if space == "unknown" else space, time)
        header["sform_code"], header["qform_code"] = img.header["sform_code"], 0
    header.set_data_dtype(np.float32)
    return header


def read_image(path: str | Path) -> nib.Nifti1Image:
    """Read an image, with clear errors."""
    if not Path(path).is_file():
        remedy = "fetch it (`datalad get`)" if Path(path).is_symlink() else "check the path"
        raise ProblemError(Problem(path, "", "there is no such file", remedy))
    try:
        img = load_image(path)
        np.asanyarray(img.dataobj)  # a truncated file shows only here
    except ProblemError:
        raise
    except UNREADABLE as error:
        remedy = "fetch it (`datalad get`) or give a NIfTI file"
        what = f"truncated or no NIfTI image ({str(error) or type(error).__name__})"
        raise ProblemError(Problem(path, "", what, remedy)) from error
    check_numbers(path, img)
    if not np.isfinite(img.affine).all() or np.linalg.matrix_rank(img.affine) < 4:
        what = "the affine does not place its voxels in space"
        remedy = "give an image whose header has a valid qform or sform"
        raise ProblemError(Problem(path, "affine", what, remedy))
    return img


def check_numbers(path: str | Path, img: nib.Nifti1Image) -> None:
    """Raise ProblemError where an image holds colours or complex values."""
    if (kind := img.get_data_dtype()).kind not in "fiu":
        what, remedy = f"the values are {kind}, not numbers", "give an image of real numbers"
        raise ProblemError(Problem(path, "header", what, remedy))
