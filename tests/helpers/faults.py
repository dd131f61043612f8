"""The faults that validation must find: how to make each, where it lies, what is said of it."""

import json

import h5py
import nibabel
import numpy as np

from tests.helpers.datasets import N_ROWS, N_VOXELS, long_textgrid, write_mask, write_responses

SUBJECT = "S1"
POINTER = "/annex/objects/MD5E-s524288--0cc175b9c0f1b6a831c399e269772661.hf5\n"


def textgrid(root, story):
    return root / "derivative" / "TextGrids" / f"{story}.TextGrid"


def hf5(root, story, subject=SUBJECT):
    return root / "derivative" / "preprocessed_data" / subject / f"{story}.hf5"


def respdict(root):
    return root / "derivative" / "respdict.json"


def set_textgrid(root, story, *words):
    textgrid(root, story).write_text(long_textgrid({"phone": [], "word": words}))


def set_respdict(root, story, value=None):
    """Give a story another count of volumes, or remove it."""
    counts = json.loads(respdict(root).read_text())
    counts = counts | {story: value} if value is not None else counts
    if value is None:
        del counts[story]
    respdict(root).write_text(json.dumps(counts))


def set_value(root, story, index, value):
    with h5py.File(hf5(root, story), "r+") as file:
        file["data"][index] = value


def dangle(path):
    path.unlink()
    path.symlink_to("../../.git/annex/objects/0Z/1p/MD5E")


def cut(path):
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.7)])


def corrupt(path):
    """Spoil the bytes in the middle of a file."""
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : -8] = b"\xff" * len(raw[len(raw) // 2 : -8])
    path.write_bytes(raw)


def rows(n_rows=N_ROWS, n_voxels=N_VOXELS):
    return np.random.default_rng(1).standard_normal((n_rows, n_voxels))


# Fault: how to make it in a story of a dataset, the file it lies in, and what the message says.
STORY_FAULTS = {
    "missing": (lambda r, s: textgrid(r, s).unlink(), textgrid, "does not exist"),
    "dangling": (lambda r, s: dangle(textgrid(r, s)), textgrid, "dangling link"),
    "pointer": (lambda r, s: textgrid(r, s).write_text(POINTER), textgrid, "pointer"),
    "truncated": (lambda r, s: cut(textgrid(r, s)), textgrid, "truncated"),
    "reversed": (lambda r, s: set_textgrid(r, s, (2, 1, "a")), textgrid, "reversed"),
    "overlapping": (
        lambda r, s: set_textgrid(r, s, (0, 2, "a"), (1, 3, "b")),
        textgrid,
        "overlaps",
    ),
    "notier": (
        lambda r, s: textgrid(r, s).write_text(long_textgrid({"phone": [(0, 1, "a")]})),
        textgrid,
        "no word tier",
    ),
    "bytes": (lambda r, s: textgrid(r, s).write_bytes(b"\xff\xfe\x00"), textgrid, "UTF-8"),
    "empty": (lambda r, s: textgrid(r, s).write_text(""), textgrid, "empty"),
    "nohf5": (lambda r, s: hf5(r, s).unlink(), hf5, "does not exist"),
    "hf5dangling": (lambda r, s: dangle(hf5(r, s)), hf5, "dangling link"),
    "hf5pointer": (lambda r, s: hf5(r, s).write_text(POINTER), hf5, "pointer"),
    "hf5truncated": (lambda r, s: cut(hf5(r, s)), hf5, "truncated"),
    "nodata": (lambda r, s: h5py.File(hf5(r, s), "w").close(), hf5, "no dataset 'data'"),
    "flat": (lambda r, s: write_responses(hf5(r, s), np.ones(N_ROWS)), hf5, "not 2-dimensional"),
    "strings": (
        lambda r, s: write_responses(hf5(r, s), rows().astype("S8")),
        hf5,
        "not numbers",
    ),
    "nan": (
        lambda r, s: set_value(r, s, (3, slice(2, 5)), np.nan),
        hf5,
        f"3 values are NaN or infinite, in 1 of {N_ROWS} rows and 3 of {N_VOXELS} voxels",
    ),
    "inf": (lambda r, s: set_value(r, s, (4, 5), -np.inf), hf5, "1 values are NaN or infinite"),
    "rows": (
        lambda r, s: write_responses(hf5(r, s), rows(N_ROWS - 1)),
        hf5,
        f"{N_ROWS - 1} rows, but the scanned volumes and the trimming make it {N_ROWS}",
    ),
    "voxels": (
        lambda r, s: write_responses(hf5(r, s), rows(n_voxels=N_VOXELS + 1)),
        hf5,
        f"{N_VOXELS + 1} voxels, but a subject's stories should agree: {N_VOXELS} in ",
    ),
    "repeats": (
        lambda r, s: write_responses(hf5(r, s), rows(), individual_repeats=np.ones((2, 3, 4))),
        hf5,
        "(2, 3, 4), (repeat, row, voxel)",
    ),
    "unlisted": (lambda r, s: set_respdict(r, s), lambda r, s: respdict(r), "not listed"),
    "uncounted": (
        lambda r, s: set_respdict(r, s, "40"),
        lambda r, s: respdict(r),
        "'40' is not a number of volumes",
    ),
    "tooshort": (lambda r, s: set_respdict(r, s, 20), lambda r, s: respdict(r), "leave no row"),
}


def eng1000(root):
    return root / "derivative" / "english1000sm.hf5"


def mask(root):
    return root / "mask.nii.gz"


def set_eng1000(root, data, n_words):
    vocab = np.array([b"w%d" % i for i in range(n_words)])
    eng1000(root).unlink()
    write_responses(eng1000(root), data, vocab=vocab)


# The same of faults that are not of one story.
DATASET_FAULTS = {
    "eng1000-missing": (lambda r: eng1000(r).unlink(), eng1000, "does not exist"),
    "eng1000-pointer": (lambda r: eng1000(r).write_text(POINTER), eng1000, "pointer"),
    "eng1000-truncated": (lambda r: cut(eng1000(r)), eng1000, "truncated"),
    "eng1000-transposed": (
        lambda r: set_eng1000(r, np.ones((3, 985)), 3),
        eng1000,
        "the shape is (3,), but `data` is (3, 985): it should be (985,)",
    ),
    "eng1000-nan": (
        lambda r: set_eng1000(r, np.full((985, 3), np.nan), 3),
        eng1000,
        "2955 values are NaN",
    ),
    "mask-missing": (lambda r: mask(r).unlink(), mask, "does not exist"),
    "mask-dangling": (lambda r: dangle(mask(r)), mask, "dangling"),
    "mask-truncated": (lambda r: cut(mask(r)), mask, "truncated or no NIfTI"),
    "mask-corrupt": (lambda r: corrupt(mask(r)), mask, "truncated or no NIfTI"),
    "mask-text": (lambda r: mask(r).write_text("no mask"), mask, "truncated or no NIfTI"),
    "mask-4d": (
        lambda r: nibabel.save(nibabel.Nifti1Image(np.ones((2, 2, 2, 1)), np.eye(4)), mask(r)),
        mask,
        "not 3-D",
    ),
    "mask-count": (
        lambda r: write_mask(mask(r), N_VOXELS + 2),
        mask,
        f"{N_VOXELS + 2} voxels in the mask, but {N_VOXELS} in {SUBJECT}'s responses",
    ),
    "respdict-missing": (lambda r: respdict(r).unlink(), respdict, "does not exist"),
    "respdict-json": (lambda r: respdict(r).write_text('{"a": '), respdict, "not JSON"),
    "respdict-list": (lambda r: respdict(r).write_text("[1]"), respdict, "not an object"),
}
