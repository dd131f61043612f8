"""Damage that any HDF5 file of numbers may suffer: responses and the Eng1000 embedding."""

import shutil

import h5py
import numpy as np

from tests.fuzz.registry import CHECKED, common, cut, damage
from tests.fuzz.specimens import ENG1000, RESPONSES

for _specimen in (RESPONSES, ENG1000):
    common(_specimen, **CHECKED)


def rewrite(path, name, change, **options):
    """Write a dataset of an HDF5 file anew."""
    with h5py.File(path, "r+") as file:
        values = file[name][()]
        del file[name]
        file.create_dataset(name, data=change(values), **options)


def set_values(path, name, where, value):
    """Set some values of a dataset of an HDF5 file."""
    with h5py.File(path, "r+") as file:
        file[name][where] = value


def put(values, where, value):
    """Copy of an array with some values set."""
    values = values.copy()
    values[where] = value
    return values


def virtual(path, source, name="data"):
    """Make `data` a virtual dataset of a dataset of its size in another file, or in this (`.`)."""
    with h5py.File(path, "r+") as file:
        shape, kind = file["data"].shape, file["data"].dtype
        del file["data"]
        layout = h5py.VirtualLayout(shape, kind)
        layout[:] = h5py.VirtualSource(source, name, shape)
        file.create_virtual_dataset("data", layout)


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

    @damage(_specimen, refused="open for writing")
    def copied_while_written(path):
        """The file was copied while its writer had it open."""
        with (
            h5py.File(path) as source,
            h5py.File(path.with_name("new"), "w", libver="latest") as new,
        ):
            for name in source:
                source.copy(name, new)
            new.flush()
            shutil.copy(new.filename, path)

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

    @damage(_specimen, refused="in another file")
    def linked_from_elsewhere(path):
        """'data' is a link to a dataset of another file, which is there."""
        other = shutil.copy(path, path.with_suffix(".other"))
        with h5py.File(path, "r+") as file:
            del file["data"]
            file["data"] = h5py.ExternalLink(str(other), "/data")

    @damage(_specimen, refused="in another file")
    def stored_elsewhere(path):
        """The numbers of 'data' are bytes of another file (external storage)."""
        other = path.with_suffix(".raw")
        with h5py.File(path, "r+") as file:
            values = file["data"][()]
            del file["data"]
            values.tofile(other)
            places = [(str(other), 0, values.nbytes)]
            file.create_dataset("data", values.shape, values.dtype, external=places)

    @damage(_specimen, refused="in another file")
    def assembled_from_elsewhere(path):
        """'data' is a virtual dataset of another file's."""
        other = shutil.copy(path, path.with_suffix(".other"))
        virtual(path, str(other))

    @damage(_specimen)
    def linked_within(path):
        """'data' is a soft link to a dataset of the same file."""
        with h5py.File(path, "r+") as file:
            file.move("data", "kept/values")
            file["data"] = h5py.SoftLink("/kept/values")

    @damage(_specimen)
    def assembled_within(path):
        """'data' is a virtual dataset of one of the same file."""
        with h5py.File(path, "r+") as file:
            file.copy("data", "kept")
        virtual(path, ".", "kept")

    @damage(_specimen, refused="are stored")
    def claims_the_most(path):
        """'data' claims 40 TB in a file of some kB."""
        with h5py.File(path, "r+") as file:
            del file["data"]
            file.create_dataset("data", (10**7, 10**6), np.float32, chunks=(100, 100))

    @damage(_specimen, refused="NaN or infinite")
    def not_a_number(path):
        """One value is NaN."""
        set_values(path, "data", (3, 2), np.nan)

    @damage(_specimen, refused="NaN or infinite")
    def infinite(path):
        """One value is infinite."""
        set_values(path, "data", (3, 2), -np.inf)

    @damage(_specimen, refused="NaN or infinite")
    def beyond_float32(path):
        """One value is too large for single precision."""
        rewrite(path, "data", lambda x: put(x.astype(np.float64), (3, 2), 1e300))

    @damage(_specimen, refused="not numbers")
    def text_for_numbers(path):
        """Numbers are stored as text."""
        rewrite(path, "data", lambda x: x.astype("S12"))

    @damage(_specimen, refused="not numbers")
    def complex_numbers(path):
        """Numbers are complex."""
        rewrite(path, "data", lambda x: x.astype(np.complex64))

    @damage(_specimen, refused="not numbers")
    def records(path):
        """Numbers are records of two fields."""
        rewrite(path, "data", lambda x: x.astype([("a", "f4"), ("b", "f4")]))

    @damage(_specimen, refused="the shape is")
    def one_dimension(path):
        """The matrix is flat."""
        rewrite(path, "data", np.ravel)

    @damage(_specimen, refused="the shape is")
    def three_dimensions(path):
        """The matrix has a third dimension of length 1."""
        rewrite(path, "data", lambda x: x[..., None])

    @damage(_specimen, refused="the shape is")
    def no_rows(path):
        """The matrix has no rows."""
        rewrite(path, "data", lambda x: x[:0])

    @damage(_specimen, refused={RESPONSES: "rows, but", ENG1000: "should be"}[_specimen])
    def transposed(path):
        """Rows and columns are swapped."""
        rewrite(path, "data", np.transpose)

    @damage(_specimen)
    def big_endian(path):
        """Numbers have the other byte order."""
        rewrite(path, "data", lambda x: x.astype(x.dtype.newbyteorder(">")))

    @damage(_specimen)
    def double_precision(path):
        """Numbers are stored in double precision."""
        rewrite(path, "data", lambda x: x.astype(np.float64))

    @damage(_specimen)
    def compressed(path):
        """Numbers are compressed and in chunks."""
        rewrite(path, "data", np.asarray, compression="gzip", shuffle=True, chunks=(7, 11))

    @damage(_specimen, refused="truncated or not HDF5")
    def chunk_damaged(path):
        """Bytes of a compressed chunk are others."""
        rewrite(path, "data", np.asarray, compression="gzip", chunks=(20, 40))
        with h5py.File(path) as file:
            chunk = file["data"].id.get_chunk_info(1)
        with path.open("r+b") as raw:
            raw.seek(chunk.byte_offset + chunk.size // 2)
            raw.write(b"\xff" * 40)

    @damage(_specimen, refused="truncated or not HDF5")
    def checksum_wrong(path):
        """Bytes are others than the file's own checksums say."""
        rewrite(path, "data", np.asarray, fletcher32=True, chunks=(20, 40))
        with h5py.File(path) as file:
            chunk = file["data"].id.get_chunk_info(1)
        with path.open("r+b") as raw:
            raw.seek(chunk.byte_offset + 8)
            raw.write(b"\x00\x01")
