"""Made-up responses on disk for tests."""

import json

import h5py
import numpy as np

from pipeline.dataset.dataset import Dataset


def write_responses(root, rows, n_voxels=12, subject="S1", seed=0, latent=None):
    """Write random responses of stories {name: n_rows}, with `latent` dimensions if given."""
    rng = np.random.default_rng(seed)
    dataset = Dataset(root, {})
    mixing = rng.standard_normal((latent or n_voxels, n_voxels))
    for story, n in rows.items():
        path = dataset.responses(subject, story)
        path.parent.mkdir(parents=True, exist_ok=True)
        data = rng.standard_normal((n, latent or n_voxels)) @ mixing
        with h5py.File(path, "w") as file:
            file["data"] = data.astype(np.float32)
    dataset.respdict.write_text(json.dumps({story: n + 20 for story, n in rows.items()}))
    return dataset


def rewrite(dataset, subject, story, data):
    """Replace a story's responses."""
    with h5py.File(dataset.responses(subject, story), "w") as file:
        file["data"] = data.astype(np.float32)
