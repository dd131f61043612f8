"""How a model does in each region of a simulated subject, where the truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from pipeline.summary import Scores, difference


def read_regions(truth: str | Path, subject: str) -> np.ndarray:
    """True region (A, B, C or D) of every voxel, array of str, shape (n_voxels,)."""
    with h5py.File(Path(truth) / "regions.h5") as file:
        return file[subject].asstr()[:]


def summarise_regions(
    fits: Mapping[tuple[str, str], str | Path], truth: str | Path, baseline: str
) -> pd.DataFrame:
    """Mean test r of every subject, model and true region, and the gain over the baseline.

    Parameters
    ----------
    fits : dict of (subject, model) to path
        HDF5 files of the fits.
    truth : path
        Folder of the ground truth.
    baseline : str
        The model compared with.

    Returns
    -------
    DataFrame
        Columns subject, model, region, n_voxels, r_mean, and `delta_eng1000` with its interval: the
        out-of-fold difference over training stories, as in `pipeline.summary`.
    """
    rows = []
    for (subject, model), path in fits.items():
        regions = read_regions(truth, subject)
        scores, reference = Scores.read(path), Scores.read(fits[subject, baseline])
        for region in np.unique(regions):
            voxels = regions == region
            by_story = np.nanmean((scores.r_train - reference.r_train)[:, voxels], axis=1)
            rows.append(
                {
                    "subject": subject,
                    "model": model,
                    "region": region,
                    "n_voxels": int(voxels.sum()),
                    "r_mean": np.nanmean(scores.r[voxels]),
                }
                | difference(by_story)
            )
    return pd.DataFrame(rows)
