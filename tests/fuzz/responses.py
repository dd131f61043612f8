"""Damaged responses, repeats and volume counts."""

import json

import h5py
import numpy as np

from tests.fuzz.hdf5 import rewrite, set_values, virtual
from tests.fuzz.registry import CHECKED, common, cut, damage, recode
from tests.fuzz.specimens import REPEATS, RESPONSES, VOLUMES

common(VOLUMES, **CHECKED)


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


@damage(RESPONSES, refused="in another file")
def virtual_and_gone(path):
    """A virtual dataset whose sources are gone."""
    virtual(path, "gone.hf5")


@damage(RESPONSES, refused="rows, but")
def row_lost(path):
    """The last row is missing."""
    rewrite(path, "data", lambda x: x[:-1])


@damage(RESPONSES, refused="rows, but")
def untrimmed(path):
    """The volumes that should have been trimmed are there."""
    rewrite(path, "data", lambda x: np.pad(x, ((10, 5), (0, 0)), mode="reflect"))


@damage(RESPONSES, refused="voxels, but")
def voxel_lost(path):
    """One voxel fewer than in the other stories."""
    rewrite(path, "data", lambda x: x[:, 1:])


@damage(RESPONSES, warned="voxels are constant")
def constant_voxels(path):
    """A voxel never changes."""
    set_values(path, "data", (slice(None), 4), 0.0)


@damage(RESPONSES, refused="voxels are constant")
def all_constant(path):
    """No voxel ever changes."""
    rewrite(path, "data", np.zeros_like)


@damage(RESPONSES, warned="one value in all voxels")
def blank_volume(path):
    """A volume is the same in all voxels."""
    set_values(path, "data", 7, 0.0)


@damage(RESPONSES, refused="the responses are those of")
def another_storys(path):
    """The responses are those of another story that is as long."""
    path.write_bytes(path.with_name("train03.hf5").read_bytes())


@damage(REPEATS, refused="NaN or infinite")
def repeats_not_a_number(path):
    """A value of a repeated presentation is NaN."""
    set_values(path, "individual_repeats", (1, 3, 2), np.nan)


@damage(REPEATS, refused="individual_repeats")
def repeats_transposed(path):
    """The dimensions of the repeated presentations are in another order."""
    rewrite(path, "individual_repeats", np.transpose)


@damage(REPEATS, warned="one presentation only")
def one_repeat(path):
    """Only one of the repeated presentations is there."""
    rewrite(path, "individual_repeats", lambda x: x[:1])


@damage(REPEATS, refused="individual_repeats")
def repeats_of_text(path):
    """The repeated presentations are text."""
    rewrite(path, "individual_repeats", lambda x: x.astype("S8"))


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
