"""NIfTI images are loaded only if the file can hold what their headers claim."""

from __future__ import annotations

import math
from pathlib import Path

import nibabel as nib
from nibabel.openers import ImageOpener

MOST_SHRUNK = 1032  # bytes that gzip makes of one byte, at most
MOST_BEFORE = 2**26  # bytes of notes between the header and the values
MOST_VOXELS = 2**26  # of one volume: 406 along each axis; at 0.5 mm MNI's box has 58 million


def load_image(path: str | Path, keep_file_open: bool = False) -> nib.Nifti1Image:
    """Load an image that is in one file (a pair's values would have no checksum), values unread.

    Parameters
    ----------
    path : path
        `.nii` or `.nii.gz`.
    keep_file_open : bool
        For reading volume by volume, in their order: none is unpacked twice.

    Raises
    ------
    ValueError
        If the header claims more than the file can hold, or more than any brain's image has.
    Exception
        Whatever nibabel raises for files that are no images.
    """
    _check_notes(path)
    img = nib.Nifti1Image.from_filename(path, keep_file_open=keep_file_open)
    n_bytes = math.prod(img.shape) * img.get_data_dtype().itemsize
    most = Path(path).stat().st_size * (MOST_SHRUNK if str(path).lower().endswith(".gz") else 1)
    if n_bytes > most:
        raise ValueError(f"its header claims {n_bytes:.2g} bytes of values, the file is too short")
    if (n_voxels := math.prod(img.shape[:3])) > MOST_VOXELS:
        raise ValueError(f"{n_voxels:.2g} voxels, more than any brain's image has")
    return img


def _check_notes(path: str | Path) -> None:
    """Raise if the header puts the values so far away that what is before them fills memory."""
    with ImageOpener(str(path)) as file:
        raw = file.read(nib.Nifti1Header.sizeof_hdr)
    if len(raw) == nib.Nifti1Header.sizeof_hdr:  # nibabel tells of shorter ones
        offset = float(nib.Nifti1Header(raw, check=False)["vox_offset"])
        if offset > MOST_BEFORE:
            raise ValueError(f"its header claims {offset:.2g} bytes before the values")
