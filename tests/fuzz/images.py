"""Damaged runs, labelled volumes and vectors of voxels."""

import gzip
import math

import nibabel
import numpy as np

from tests.fuzz.formats import AFFINE, LABELS, RUN, VECTOR
from tests.fuzz.registry import CHECKED, common, cut, damage

for _specimen in (RUN, LABELS):
    common(_specimen, **CHECKED)

    @damage(_specimen, refused="truncated")
    def cut_short(path):
        """The end of the file is missing."""
        cut(path)

    @damage(_specimen, refused="truncated")
    def cut_inside(path):
        """The image ends early in a file that is otherwise sound."""
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-50]))

    @damage(_specimen, refused="truncated")
    def not_compressed(path):
        """The name says compressed, the content is not."""
        path.write_bytes(gzip.decompress(path.read_bytes()))

    @damage(_specimen, refused="truncated")
    def unknown_type(path):
        """The header names a data type that does not exist."""
        _header(path, 70, (9999).to_bytes(2, "little"))

    @damage(_specimen)
    def second_version(path):
        """NIfTI-2."""
        image = nibabel.load(path)
        second = nibabel.Nifti2Image(np.asanyarray(image.dataobj), image.affine)
        second.header.set_zooms(image.header.get_zooms())
        path.unlink()
        nibabel.save(second, path)

    @damage(_specimen, refused="a CIFTI file")
    def cifti(path):
        """CIFTI: grayordinates, no volume."""
        model = nibabel.cifti2.BrainModelAxis.from_mask(np.ones((2, 2, 2), bool))
        axes = nibabel.cifti2.ScalarAxis(["one"]), model
        made = nibabel.Cifti2Image(np.zeros((1, 8), np.float32), axes)
        made.to_filename(path.with_name("made.dscalar.nii"))
        path.write_bytes(gzip.compress(path.with_name("made.dscalar.nii").read_bytes()))

    @damage(_specimen, refused="truncated" if _specimen is LABELS else "the mask (4, 5, 6)")
    def negative_size(path):
        """The header gives a negative size."""
        _header(path, 42, (-5).to_bytes(2, "little", signed=True))

    @damage(_specimen, refused="truncated")
    def huge_size(path):
        """The header gives 32,767 voxels along each axis."""
        _header(path, 42, (32767).to_bytes(2, "little") * 3)

    @damage(_specimen, refused="not numbers")
    def colours(path):
        """Values are colours (RGB)."""
        kind = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
        _image(path, lambda x: np.zeros(x.shape, kind))

    @damage(_specimen, refused="not numbers")
    def complex_numbers(path):
        """Values are complex."""
        _image(path, lambda x: x.astype(np.complex64))

    @damage(_specimen)
    def double_precision(path):
        """Values are stored in double precision."""
        _image(path, lambda x: x.astype(np.float64))

    @damage(_specimen)
    def big_endian(path):
        """Numbers have the other byte order."""
        img = nibabel.load(path)
        header = img.header.as_byteswapped(">")
        nibabel.save(nibabel.Nifti1Image(np.asanyarray(img.dataobj), AFFINE, header), path)


def _header(path, offset, raw):
    """Overwrite bytes of the header."""
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[offset : offset + len(raw)] = raw
    path.write_bytes(gzip.compress(bytes(content)))


def _zeros(path, shape):
    """Write an image of nothing, which packs to a thousandth, without filling memory."""
    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.uint8)
    header.set_data_shape(shape)
    header.set_sform(np.array(AFFINE), code=1)
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(header.binaryblock + bytes(4))
        for _ in range(math.prod(shape) // 2**20):
            file.write(bytes(2**20))


@damage(LABELS, refused="more than any brain's image")
def labels_of_an_enormous_box(path):
    """All 128 million voxels that the header claims are there, packed to 600 kB."""
    _zeros(path, (512, 512, 512))


@damage(LABELS, refused="bytes before the values")
def labels_after_long_notes(path):
    """The header puts 2 GB of notes before the values."""
    _header(path, 108, np.float32(2**31).tobytes())


def _image(path, change, affine=AFFINE):
    """Write an image anew, with its zooms and units."""
    img = nibabel.load(path)
    values = change(np.asanyarray(img.dataobj).copy())
    new = nibabel.Nifti1Image(values, affine)
    new.header.set_zooms((*img.header.get_zooms(), 1, 1)[: values.ndim])
    new.header.set_xyzt_units(*img.header.get_xyzt_units())
    nibabel.save(new, path)


def _put(values, where, value):
    values = values.copy()
    values[where] = value
    return values


@damage(RUN, refused="3 dimensions, not 4")
def one_volume(path):
    """Only one volume is there."""
    _image(path, lambda x: x[..., 0])


@damage(RUN, refused="5 dimensions, not 4")
def five_dimensions(path):
    """There is a fifth dimension, as of some vector formats."""
    _image(path, lambda x: x[:, :, :, None])


@damage(RUN, refused="rows, but")
def volume_lost(path):
    """The last volume is missing."""
    _image(path, lambda x: x[..., :-1])


@damage(RUN, refused="the mask")
def slice_lost(path):
    """A slice is missing."""
    _image(path, lambda x: x[:, :, 1:])


@damage(RUN, refused="different affines")
def left_is_right(path):
    """The run is flipped: its x runs to the other side."""
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = 3
    _image(path, lambda x: x[::-1], AFFINE @ flip)


@damage(RUN, refused="different affines")
def place_lost(path):
    """The header does not place the voxels (affine of zeros)."""
    _header(path, 280, bytes(48))


@damage(RUN, refused="repetition time is 3 s")
def other_repetition_time(path):
    """The header states another repetition time."""
    _header(path, 92, np.float32(3).tobytes())


@damage(RUN, refused="NaN or infinite")
def run_not_a_number(path):
    """A voxel of the mask is NaN in one volume."""
    mask = np.asanyarray(nibabel.load(path.with_name("mask.nii.gz")).dataobj)
    where = (*np.argwhere(mask)[3], 2)
    _image(path, lambda x: _put(x, where, np.nan))


@damage(RUN, warned="voxels are constant")
def run_of_zeros_in_a_voxel(path):
    """A voxel of the mask is 0 in all volumes."""
    mask = np.asanyarray(nibabel.load(path.with_name("mask.nii.gz")).dataobj)
    _image(path, lambda x: _put(x, tuple(np.argwhere(mask)[3]), 0))


@damage(LABELS, refused="not a labelled image")
def labels_of_fractions(path):
    """Labels are fractions, as after linear interpolation."""
    _image(path, lambda x: x.astype(np.float32) * 0.5)


@damage(LABELS, refused="not a labelled image")
def label_not_a_number(path):
    """A label is NaN."""
    _image(path, lambda x: _put(x.astype(np.float32), (1, 1, 1), np.nan))


@damage(LABELS, refused="not a labelled image")
def label_enormous(path):
    """A label is 1e30."""
    _image(path, lambda x: np.where(x == 2, np.float32(1e30), x).astype(np.float32))


@damage(LABELS, refused="not a labelled image")
def four_dimensions(path):
    """There is a volume for each region."""
    _image(path, lambda x: np.stack([x == 1, x == 2], axis=-1).astype(np.uint8))


@damage(LABELS, refused="none of its regions holds a voxel")
def labels_all_zero(path):
    """Every label is 0."""
    _image(path, np.zeros_like)


@damage(LABELS, refused="none of its regions holds a voxel")
def labels_elsewhere(path):
    """The volume lies a metre away."""
    _image(path, np.asarray, np.array(AFFINE) + np.c_[np.zeros((4, 3)), [1000, 0, 0, 0]])


@damage(LABELS, refused="does not place its voxels")
def labels_place_lost(path):
    """The header does not place the voxels (affine of zeros)."""
    _header(path, 280, bytes(48))


common(VECTOR, missing="no array", empty="no array", folder="no array", unreadable="no array")


@damage(VECTOR, refused="no array")
def vector_cut_short(path):
    """The end of the file is missing."""
    cut(path)


@damage(VECTOR, refused="no array")
def vector_of_huge_size(path):
    """The header claims 40 TB in a file of some kB."""
    with path.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (10**13,)}
        np.lib.format.write_array_header_1_0(file, header)


@damage(VECTOR, refused="no array")
def vector_of_another_kind(path):
    """A text under this name."""
    path.write_text("0.1\n0.2\n")


@damage(VECTOR, refused="no array of real numbers")
def vector_of_text(path):
    """Numbers are stored as text."""
    np.save(path, np.load(path).astype("U8"))


@damage(VECTOR, refused="no array of real numbers")
def vector_complex(path):
    """Numbers are complex."""
    np.save(path, np.load(path).astype(np.complex64))


@damage(VECTOR, refused="no array")
def vector_of_objects(path):
    """Numbers are pickled objects."""
    np.save(path, np.load(path).astype(object), allow_pickle=True)


@damage(VECTOR, refused="no array")
def vector_archive(path):
    """An .npz archive under this name."""
    with path.open("wb") as file:
        np.savez(file, np.zeros(3))


@damage(VECTOR, refused="have shape", names="mask.nii.gz")
def vector_two_dimensions(path):
    """The vector has a second dimension."""
    np.save(path, np.load(path)[:, None])


@damage(VECTOR, refused="voxels, the data", names="mask.nii.gz")
def vector_short(path):
    """A voxel is missing."""
    np.save(path, np.load(path)[1:])
