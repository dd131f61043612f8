"""Images are loaded only if the file can hold what its header claims, and holds all of it."""

from __future__ import annotations

import math
from pathlib import Path
from xml.parsers.expat import ExpatError

import nibabel as nib
from nibabel.cifti2 import Cifti2HeaderError
from nibabel.openers import ImageOpener

from pipeline.core.errors import Problem, ProblemError

CIFTI = range(3000, 3100)  # intent codes
_SEPARATE = (
    "responses end in .dtseries.nii; of other files give the volumes as NIfTI "
    "(`wb_command -cifti-separate FILE COLUMN -volume-all OUT.nii.gz`)"
)
MOST_SHRUNK = 1032  # bytes that gzip makes of one byte, at most
MOST_BEFORE = 2**26  # bytes of notes between the header and the values
MOST_VOXELS = 2**26  # of one volume: 406 along each axis; at 0.5 mm MNI's box has 58 million


def load_image(path: str | Path, keep_file_open: bool = False) -> nib.Nifti1Image:
    """Load an image that is in one file (a pair's values would have no checksum), values unread.

    Parameters
    ----------
    path : path
        `.nii` or `.nii.gz`, NIfTI-1 or NIfTI-2.
    keep_file_open : bool
        For reading volume by volume, in their order: none is unpacked twice.

    Raises
    ------
    ProblemError
        For a CIFTI file, which is NIfTI-2 without a volume.
    ValueError
        If the header claims more than the file can hold, or more than any brain's image has.
    Exception
        Whatever nibabel raises for files that are no images.
    """
    img = _checked_kind(path).from_filename(path, keep_file_open=keep_file_open)
    n_bytes = math.prod(img.shape) * img.get_data_dtype().itemsize
    most = Path(path).stat().st_size * (MOST_SHRUNK if str(path).lower().endswith(".gz") else 1)
    if n_bytes > most:
        raise ValueError(f"its header claims {n_bytes:.2g} bytes of values, the file is too short")
    if (n_voxels := math.prod(img.shape[:3])) > MOST_VOXELS:
        raise ValueError(f"{n_voxels:.2g} voxels, more than any brain's image has")
    return img


def _checked_kind(path: str | Path) -> type[nib.Nifti1Image]:
    """The version of NIfTI that a file is of, once its header has nothing against loading it."""
    with ImageOpener(str(path)) as file:
        raw = file.read(nib.Nifti2Header.sizeof_hdr)
    is_second = nib.Nifti2Header.may_contain_header(raw)
    kind = nib.Nifti2Image if is_second else nib.Nifti1Image
    size = kind.header_class.sizeof_hdr
    if len(raw) < size:  # nibabel tells of shorter ones
        return kind
    header = kind.header_class(raw[:size], check=False)
    if int(header["intent_code"]) in CIFTI:
        what = "a CIFTI file (grayordinates), which is no volume"
        raise ProblemError(Problem(path, "", what, _SEPARATE))
    # What is before the values is read into memory.
    if (offset := float(header["vox_offset"])) > MOST_BEFORE:
        raise ValueError(f"its header claims {offset:.2g} bytes before the values")
    return kind


def load_cifti(path: str | Path) -> nib.Cifti2Image:
    """Load a CIFTI-2 image, values unread.

    Raises
    ------
    ValueError
        If it is none, or its header claims more than the file holds.
    Exception
        Whatever nibabel raises for files that are no images.
    """
    with Path(path).open("rb") as file:
        raw = file.read(nib.Nifti2Header.sizeof_hdr)
    if not nib.Nifti2Header.may_contain_header(raw):
        raise ValueError("it is no NIfTI-2, which CIFTI-2 is")
    header = nib.Nifti2Header(raw, check=False)
    if int(header["intent_code"]) not in CIFTI:
        raise ValueError("its header does not say that it is CIFTI")
    if (offset := float(header["vox_offset"])) > MOST_BEFORE:
        raise ValueError(f"its header claims {offset:.2g} bytes before the values")
    n_bytes = math.prod(header.get_data_shape()) * header.get_data_dtype().itemsize
    if offset + n_bytes > Path(path).stat().st_size:
        raise ValueError(f"its header claims {n_bytes:.2g} bytes of values, the file is too short")
    # Unmapped: a file that is cut or written anew meanwhile would end the process.
    try:
        return nib.Cifti2Image.from_filename(path, mmap=False)
    except (ExpatError, Cifti2HeaderError, AssertionError) as error:
        raise ValueError(f"its description is none of CIFTI: {error}") from error


def load_gifti(path: str | Path) -> nib.GiftiImage:
    """Load a GIFTI image whose values are in the file itself.

    Raises
    ------
    ValueError
        If it is none, or its values lie in another file, which may be any file of this disk.
    Exception
        Whatever nibabel raises for files that are no images.
    """
    if b"ExternalFileBinary" in Path(path).read_bytes():
        raise ValueError("its values lie in another file")
    try:
        return nib.GiftiImage.from_filename(path)
    except ExpatError as error:
        raise ValueError(f"no XML: {error}") from error
    except AssertionError as error:  # nibabel's own check of an array's dimensions
        raise ValueError("an array has other dimensions than it says") from error
