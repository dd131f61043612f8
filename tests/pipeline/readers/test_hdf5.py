"""HDF5 of a stranger's: what is read lies in the file, and no more is read than can lie in it."""

import ast

import h5py
import numpy as np
import pytest

from pipeline.core.errors import ProblemError
from pipeline.embedding.eng1000 import Eng1000
from pipeline.readers.hdf5 import open_hdf5
from tests.conftest import REPOSITORY

VALUES = np.arange(12, dtype=np.float32).reshape(4, 3)
# The three that open files themselves: this place, what is written, a look at the size alone.
OPENERS = {"core/hdf5.py", "core/atomic.py", "core/files.py"}


def linked(file, other):
    file["data"] = h5py.ExternalLink(str(other), "/data")


def linked_deep(file, other):
    """A soft link to a link out of the file."""
    file["a/b"] = h5py.ExternalLink(str(other), "/data")
    file["data"] = h5py.SoftLink("/a/b")


def stored(file, other):
    file.create_dataset("data", (4, 3), "f4", external=[(str(other), 0, 48)])


def virtual(file, other):
    layout = h5py.VirtualLayout((4, 3), np.float32)
    layout[:] = h5py.VirtualSource(str(other), "data", (4, 3))
    file.create_virtual_dataset("data", layout)


@pytest.mark.parametrize("make", [linked, linked_deep, stored, virtual])
def test_data_in_another_file_are_refused_by_name(make, tmp_path):
    other, path = tmp_path / "other.h5", tmp_path / "story.hf5"
    with h5py.File(other, "w") as file:
        file["data"] = VALUES
    with h5py.File(path, "w") as file:
        make(file, other)
    refused = ""
    try:
        with open_hdf5(path) as data:
            data[:]
    except ProblemError as error:
        refused = str(error)
    assert f"the data lie in another file ({str(other)!r})" in refused
    assert f"{path} [{'a/b' if make is linked_deep else 'data'}]" in refused
    assert "h5repack" in refused


def test_links_and_virtual_datasets_within_the_file_are_read(tmp_path):
    path = tmp_path / "story.hf5"
    with h5py.File(path, "w") as file:
        file["runs/1"] = VALUES
        file["soft"] = h5py.SoftLink("/runs/1")
        file["dangling"] = h5py.SoftLink("/runs/2")
        file["runs/all"] = file["/"]  # a circle
        file["nothing"] = h5py.Empty("f4")
        layout = h5py.VirtualLayout((4, 3), np.float32)
        layout[:] = h5py.VirtualSource(".", "soft", (4, 3))
        file.create_virtual_dataset("data", layout)
    with open_hdf5(path) as data:
        assert np.array_equal(data[:], VALUES)


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((10**7, 10**6), {"chunks": (100, 100)}),
        ((10**5, 10**5), {}),
        ((4, 3), {"chunks": (20_000, 20_000), "maxshape": (None, None)}),
    ],
)
def test_values_that_were_never_stored_take_no_memory(shape, options, tmp_path):
    path = tmp_path / "english1000sm.hf5"
    with h5py.File(path, "w") as file:
        file.create_dataset("data", shape, np.float32, **options)
        file["vocab"] = np.array([b"sea"] * 3)
    with pytest.raises(ProblemError, match="bytes, but only 0 are stored"), open_hdf5(path):
        pass
    with pytest.raises(ProblemError, match="bytes, but only 0 are stored"):
        Eng1000.load(path)


def test_much_that_is_compressed_well_is_read(tmp_path):
    path = tmp_path / "story.hf5"
    values = np.repeat(np.arange(8, dtype=np.float32)[:, None], 2**16, axis=1)
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=values, compression="gzip", compression_opts=9)
    with open_hdf5(path) as data:
        assert np.array_equal(data[:], values)


def test_files_of_others_are_opened_in_one_place():
    package = REPOSITORY / "pipeline"
    openers = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "h5py.File"
    }
    assert openers == OPENERS
