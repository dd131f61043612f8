"""Datasets as people have them: words and responses in many layouts, written without the code under
test.
"""

import h5py
import nibabel as nib
import numpy as np
import pandas as pd

from tests.helpers.datasets import long_textgrid

LENGTHS = {"one": 80, "two": 95, "three": 110, "four": 130, "five": 150}  # rows
SHAPE, AFFINE = (3, 3, 2), np.diag([40.0, 40, 40, 1])
WORDS = ["so", "it", "was", "a", "house", "by", "the", "sea"]


def words_of(n_rows, tr, rng):
    """Words from the first volume to the last: (start, end, word)."""
    times = np.arange(0.3, n_rows * tr - 0.3, 0.4).round(2)
    return [(t, round(t + 0.3, 2), str(rng.choice(WORDS))) for t in times.tolist()]


def write_textgrid(path, words):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(long_textgrid({"phones": [], "words": words}))


def write_words(path, words, names=("word", "onset", "offset")):
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame([(word, start, end) for start, end, word in words], columns=list(names))
    table.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")


def write_events(path, words):
    """BIDS events, a button press before the words."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [(0.0, 0.0, "button", "left")]
    rows += [(start, round(end - start, 2), "word", word) for start, end, word in words]
    names = ["onset", "duration", "trial_type", "value"]
    pd.DataFrame(rows, columns=names).to_csv(path, sep="\t", index=False)


def write_hdf5(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file["data"] = values.astype(np.float32)


def write_regions(path, values, names, tr=None):
    """A table of regions, with a column of times if there is a `tr`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(values.round(4), columns=list(names))
    if tr:
        table.insert(0, "time", np.arange(len(table)) * tr)
    table.to_csv(path, index=False)


def write_nifti(path, values, tr):
    path.parent.mkdir(parents=True, exist_ok=True)
    img = nib.Nifti1Image(values.T.reshape(*SHAPE, -1).astype(np.float32), AFFINE)
    img.header.set_zooms((*img.header.get_zooms()[:3], tr))
    img.header.set_xyzt_units("mm", "sec")
    nib.save(img, path)


def write_mask(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(np.ones(SHAPE, np.uint8), AFFINE), path)
