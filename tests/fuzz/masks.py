"""Damaged masks."""

import gzip
import os

import nibabel
import numpy as np

from tests.fuzz.hdf5 import put
from tests.fuzz.registry import CHECKED, common, cut, damage
from tests.fuzz.specimens import MASK

common(MASK, **CHECKED)


def _mask(path, change):
    image = nibabel.load(path)
    values = image.get_fdata().astype(np.uint8)
    new = nibabel.Nifti1Image(change(values), image.affine)
    os.unlink(path)
    nibabel.save(new, path)


def _header(path, offset, raw):
    """Overwrite bytes of the header."""
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[offset : offset + len(raw)] = raw
    path.write_bytes(gzip.compress(bytes(content)))


@damage(MASK, refused="truncated or no NIfTI")
def mask_cut_short(path):
    """The end of the file is missing."""
    cut(path)


@damage(MASK, refused="truncated or no NIfTI")
def mask_cut_inside(path):
    """The image ends early in a file that is otherwise sound."""
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-50]))


@damage(MASK, refused="truncated or no NIfTI")
def mask_not_compressed(path):
    """The name says compressed, the content is not."""
    path.write_bytes(gzip.decompress(path.read_bytes()))


@damage(MASK, refused="truncated or no NIfTI")
def mask_bytes_changed(path):
    """Bytes in the middle are others."""
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 20] = b"\xff" * 20
    path.write_bytes(raw)


@damage(MASK, refused="truncated or no NIfTI")
def mask_of_unknown_type(path):
    """The header names a data type that does not exist."""
    _header(path, 70, (9999).to_bytes(2, "little"))


@damage(MASK, refused="truncated or no NIfTI")
def mask_of_negative_size(path):
    """The header gives a negative size."""
    _header(path, 42, (-5).to_bytes(2, "little", signed=True))


@damage(MASK, refused="truncated or no NIfTI")
def mask_of_huge_size(path):
    """The header gives 32,767 voxels along each axis."""
    _header(path, 42, (32767).to_bytes(2, "little") * 3)


@damage(MASK, refused="truncated or no NIfTI")
def mask_of_eighty_dimensions(path):
    """The header gives 80 dimensions."""
    _header(path, 40, (80).to_bytes(2, "little"))


@damage(MASK, refused="not 3-D")
def mask_four_dimensions(path):
    """The mask has a time axis."""
    _mask(path, lambda x: x[..., None])


@damage(MASK, refused="NaN or infinities")
def mask_not_a_number(path):
    """A value is NaN."""
    _mask(path, lambda x: put(x.astype(np.float32), (0, 0, 0), np.nan))


@damage(MASK, refused="no voxel is inside")
def mask_empty(path):
    """No voxel is inside."""
    _mask(path, np.zeros_like)


@damage(MASK, refused="in the mask, but")
def mask_of_everything(path):
    """Every voxel is inside."""
    _mask(path, np.ones_like)


@damage(MASK, refused="in the mask, but")
def mask_one_voxel_more(path):
    """One voxel more than the responses have."""
    _mask(path, lambda x: put(x, (0, 0, 0), 1))


@damage(MASK, refused="does not place its voxels")
def mask_affine_singular(path):
    """All voxels lie in one plane."""
    _header(path, 280, bytes(16))


@damage(MASK, refused="does not place its voxels")
def mask_affine_not_a_number(path):
    """The place of the image is NaN."""
    _header(path, 292, np.float32(np.nan).tobytes())


@damage(MASK)
def mask_of_floats(path):
    """Values are floating-point numbers."""
    _mask(path, lambda x: x.astype(np.float64))


@damage(MASK)
def mask_of_labels(path):
    """Values inside are other numbers than 1."""
    _mask(path, lambda x: x * np.uint8(3))


@damage(MASK, refused="numbers beside 0")
def mask_of_probabilities(path):
    """Values inside are probabilities."""
    _mask(path, lambda x: x * np.linspace(0.1, 1, x.size, dtype=np.float32).reshape(x.shape))


@damage(MASK, refused="numbers beside 0")
def mask_resampled(path):
    """The mask was resampled: its edge has values between 0 and 1."""
    _mask(path, lambda x: put(x.astype(np.float32), tuple(np.argwhere(x)[0]), 0.37))


@damage(MASK, refused="numbers beside 0")
def mask_of_minus_one_outside(path):
    """Values outside are -1."""
    _mask(path, lambda x: np.where(x == 0, np.int16(-1), np.int16(1)))


@damage(MASK, refused="NaN or infinities")
def mask_of_nan_outside(path):
    """Values outside are NaN."""
    _mask(path, lambda x: np.where(x == 0, np.float32(np.nan), np.float32(1)))
