"""Damaged responses, volume counts, embeddings and masks."""

import gzip
import json
import os

import h5py
import nibabel
import numpy as np

from tests.fuzz.registry import common, cut, damage, recode
from tests.fuzz.specimens import ENG1000, MASK, REPEATS, RESPONSES, VOLUMES

for _specimen in (RESPONSES, VOLUMES, ENG1000, MASK):
    common(
        _specimen,
        missing="does not exist",
        empty="the file is empty",
        folder="a folder, not a file",
        unreadable="cannot be read",
    )


def _rewrite(path, name, change, **options):
    """Write a dataset of an HDF5 file anew."""
    with h5py.File(path, "r+") as file:
        values = file[name][()]
        del file[name]
        file.create_dataset(name, data=change(values), **options)


def _set(path, name, where, value):
    with h5py.File(path, "r+") as file:
        file[name][where] = value


def _put(values, where, value):
    values = values.copy()
    values[where] = value
    return values


for _specimen in (RESPONSES, ENG1000):

    @damage(_specimen, refused="truncated")
    def cut_short(path):
        """The end of the file is missing."""
        cut(path)

    @damage(_specimen, refused="truncated or not HDF5")
    def not_hdf5(path):
        """A MATLAB file under this name."""
        path.write_bytes(b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + bytes(200))

    @damage(_specimen, refused="truncated or not HDF5")
    def signature_damaged(path):
        """The first byte is another."""
        path.write_bytes(b"\x00" + path.read_bytes()[1:])

    @damage(_specimen, refused="data")
    def other_key(path):
        """The dataset has another name."""
        with h5py.File(path, "r+") as file:
            file.move("data", "zRresp")

    @damage(_specimen, refused="data")
    def group_for_a_dataset(path):
        """'data' is a group."""
        with h5py.File(path, "r+") as file:
            del file["data"]
            file.create_group("data")

    @damage(_specimen, refused="data")
    def dangling_link_inside(path):
        """'data' is a link to nothing."""
        with h5py.File(path, "r+") as file:
            del file["data"]
            file["data"] = h5py.ExternalLink("gone.hf5", "/data")

    @damage(_specimen, refused="NaN or infinite")
    def not_a_number(path):
        """One value is NaN."""
        _set(path, "data", (3, 2), np.nan)

    @damage(_specimen, refused="NaN or infinite")
    def infinite(path):
        """One value is infinite."""
        _set(path, "data", (3, 2), -np.inf)

    @damage(_specimen, refused="NaN or infinite")
    def beyond_float32(path):
        """One value is too large for single precision."""
        _rewrite(path, "data", lambda x: _put(x.astype(np.float64), (3, 2), 1e300))

    @damage(_specimen, refused="not numbers")
    def text_for_numbers(path):
        """Numbers are stored as text."""
        _rewrite(path, "data", lambda x: x.astype("S12"))

    @damage(_specimen, refused="not numbers")
    def complex_numbers(path):
        """Numbers are complex."""
        _rewrite(path, "data", lambda x: x.astype(np.complex64))

    @damage(_specimen, refused="not numbers")
    def records(path):
        """Numbers are records of two fields."""
        _rewrite(path, "data", lambda x: x.astype([("a", "f4"), ("b", "f4")]))

    @damage(_specimen, refused="the shape is")
    def one_dimension(path):
        """The matrix is flat."""
        _rewrite(path, "data", np.ravel)

    @damage(_specimen, refused="the shape is")
    def three_dimensions(path):
        """The matrix has a third dimension of length 1."""
        _rewrite(path, "data", lambda x: x[..., None])

    @damage(_specimen, refused="the shape is")
    def no_rows(path):
        """The matrix has no rows."""
        _rewrite(path, "data", lambda x: x[:0])

    @damage(_specimen, refused={RESPONSES: "rows, but", ENG1000: "should be"}[_specimen])
    def transposed(path):
        """Rows and columns are swapped."""
        _rewrite(path, "data", np.transpose)

    @damage(_specimen)
    def big_endian(path):
        """Numbers have the other byte order."""
        _rewrite(path, "data", lambda x: x.astype(x.dtype.newbyteorder(">")))

    @damage(_specimen)
    def double_precision(path):
        """Numbers are stored in double precision."""
        _rewrite(path, "data", lambda x: x.astype(np.float64))

    @damage(_specimen)
    def compressed(path):
        """Numbers are compressed and in chunks."""
        _rewrite(path, "data", np.asarray, compression="gzip", shuffle=True, chunks=(7, 11))

    @damage(_specimen, refused="truncated or not HDF5")
    def chunk_damaged(path):
        """Bytes of a compressed chunk are others."""
        _rewrite(path, "data", np.asarray, compression="gzip", chunks=(20, 40))
        with h5py.File(path) as file:
            chunk = file["data"].id.get_chunk_info(1)
        with path.open("r+b") as raw:
            raw.seek(chunk.byte_offset + chunk.size // 2)
            raw.write(b"\xff" * 40)

    @damage(_specimen, refused="truncated or not HDF5")
    def checksum_wrong(path):
        """Bytes are others than the file's own checksums say."""
        _rewrite(path, "data", np.asarray, fletcher32=True, chunks=(20, 40))
        with h5py.File(path) as file:
            chunk = file["data"].id.get_chunk_info(1)
        with path.open("r+b") as raw:
            raw.seek(chunk.byte_offset + 8)
            raw.write(b"\x00\x01")


@damage(RESPONSES, warned="one value in all voxels")
def chunk_never_written(path):
    """Writing stopped half way: the last chunks were never written."""
    with h5py.File(path, "r+") as file:
        values = file["data"][()]
        del file["data"]
        data = file.create_dataset("data", values.shape, values.dtype, chunks=(10, values.shape[1]))
        data[:20] = values[:20]


@damage(RESPONSES, refused="voxels are constant")
def never_written(path):
    """The dataset was made but never filled."""
    with h5py.File(path, "r+") as file:
        shape = file["data"].shape
        del file["data"]
        file.create_dataset("data", shape, np.float32)


@damage(RESPONSES, refused="voxels are constant")
def virtual_and_gone(path):
    """A virtual dataset whose sources are gone."""
    with h5py.File(path, "r+") as file:
        shape = file["data"].shape
        del file["data"]
        layout = h5py.VirtualLayout(shape, np.float32)
        layout[:] = h5py.VirtualSource("gone.hf5", "data", shape)
        file.create_virtual_dataset("data", layout)


@damage(RESPONSES, refused="rows, but")
def row_lost(path):
    """The last row is missing."""
    _rewrite(path, "data", lambda x: x[:-1])


@damage(RESPONSES, refused="rows, but")
def untrimmed(path):
    """The volumes that should have been trimmed are there."""
    _rewrite(path, "data", lambda x: np.pad(x, ((10, 5), (0, 0)), mode="reflect"))


@damage(RESPONSES, refused="voxels, but")
def voxel_lost(path):
    """One voxel fewer than in the other stories."""
    _rewrite(path, "data", lambda x: x[:, 1:])


@damage(RESPONSES, warned="voxels are constant")
def constant_voxels(path):
    """A voxel never changes."""
    _set(path, "data", (slice(None), 4), 0.0)


@damage(RESPONSES, refused="voxels are constant")
def all_constant(path):
    """No voxel ever changes."""
    _rewrite(path, "data", np.zeros_like)


@damage(RESPONSES, warned="one value in all voxels")
def blank_volume(path):
    """A volume is the same in all voxels."""
    _set(path, "data", 7, 0.0)


@damage(REPEATS, refused="NaN or infinite")
def repeats_not_a_number(path):
    """A value of a repeated presentation is NaN."""
    _set(path, "individual_repeats", (1, 3, 2), np.nan)


@damage(REPEATS, refused="individual_repeats")
def repeats_transposed(path):
    """The dimensions of the repeated presentations are in another order."""
    _rewrite(path, "individual_repeats", np.transpose)


@damage(REPEATS, warned="one presentation only")
def one_repeat(path):
    """Only one of the repeated presentations is there."""
    _rewrite(path, "individual_repeats", lambda x: x[:1])


@damage(REPEATS, refused="individual_repeats")
def repeats_of_text(path):
    """The repeated presentations are text."""
    _rewrite(path, "individual_repeats", lambda x: x.astype("S8"))


# Volume counts


def _counts(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@damage(VOLUMES, refused="not JSON")
def counts_cut_short(path):
    """The end of the file is missing."""
    cut(path)


@damage(VOLUMES, refused="not JSON")
def counts_with_mark(path):
    """UTF-8 with a byte-order mark."""
    recode(path, "utf-8-sig")


@damage(VOLUMES, refused="not JSON")
def counts_utf16(path):
    """UTF-16."""
    recode(path, "utf-16")


@damage(VOLUMES, refused="not JSON")
def counts_nested(path):
    """A hundred thousand brackets."""
    path.write_text("[" * 100_000)


@damage(VOLUMES, refused="not an object")
def counts_in_a_list(path):
    """A list, not an object."""
    path.write_text(json.dumps(list(json.loads(path.read_text()).values())))


@damage(VOLUMES, refused="not listed")
def story_lost(path):
    """A story is not listed."""
    counts = json.loads(path.read_text())
    del counts["train02"]
    path.write_text(json.dumps(counts))


@damage(VOLUMES, refused="listed twice")
def story_listed_twice(path):
    """A story is listed twice with different counts."""
    path.write_text('{"train02": 12, ' + path.read_text().lstrip()[1:])


@damage(VOLUMES, refused="not a number of volumes")
def count_as_text(path):
    """A count is text."""
    _counts(path, train02="75")


@damage(VOLUMES, refused="not a number of volumes")
def count_negative(path):
    """A count is negative."""
    _counts(path, train02=-75)


@damage(VOLUMES, refused="not a number of volumes")
def count_not_a_number(path):
    """A count is NaN."""
    _counts(path, train02=float("nan"))


@damage(VOLUMES, refused="rows, but", names="train02.hf5")
def count_enormous(path):
    """A count has thirty digits."""
    _counts(path, train02=10**30)


@damage(VOLUMES, refused="leave no row")
def count_too_small(path):
    """A count leaves nothing after trimming."""
    _counts(path, train02=20)


@damage(VOLUMES, refused="rows, but", names="train02.hf5")
def count_off_by_one(path):
    """A count is one too large."""
    _counts(path, train02=json.loads(path.read_text())["train02"] + 1)


# Eng1000


@damage(ENG1000, refused="vocab")
def vocabulary_lost(path):
    """There is no vocabulary."""
    with h5py.File(path, "r+") as file:
        del file["vocab"]


@damage(ENG1000, refused="should be")
def vocabulary_short(path):
    """The vocabulary has one word fewer than the matrix columns."""
    _rewrite(path, "vocab", lambda x: x[:-1])


@damage(ENG1000, refused="vocab")
def vocabulary_of_numbers(path):
    """The vocabulary is numbers."""
    _rewrite(path, "vocab", lambda x: np.arange(len(x)))


@damage(ENG1000, refused="vocab")
def vocabulary_of_arrays(path):
    """The vocabulary is lists of numbers."""
    with h5py.File(path, "r+") as file:
        n = len(file["vocab"])
        del file["vocab"]
        vocab = file.create_dataset("vocab", (n,), h5py.vlen_dtype(np.int32))
        vocab[0] = np.arange(3, dtype=np.int32)


@damage(ENG1000)
def vocabulary_of_variable_length(path):
    """The vocabulary is strings of variable length."""
    with h5py.File(path, "r+") as file:
        words = [word.decode() for word in file["vocab"]]
        del file["vocab"]
        file["vocab"] = words


@damage(ENG1000, warned="listed twice")
def word_twice(path):
    """The last word of the vocabulary is the first once more."""
    with h5py.File(path, "r+") as file:
        file["vocab"][-1] = file["vocab"][0]


@damage(ENG1000, warned="not UTF-8")
def vocabulary_undecodable(path):
    """A word of the vocabulary is no UTF-8."""
    _rewrite(path, "vocab", lambda x: _put(x, 0, b"\xff\xfe\xfd"))


@damage(ENG1000, refused="all values are zero")
def embedding_of_zeros(path):
    """Every value is 0."""
    _rewrite(path, "data", np.zeros_like)


# Mask


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
    _mask(path, lambda x: _put(x.astype(np.float32), (0, 0, 0), np.nan))


@damage(MASK, refused="in the mask, but")
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
    _mask(path, lambda x: _put(x, (0, 0, 0), 1))


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
