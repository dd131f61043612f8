"""Which band explains which share of a model: of all voxels, of the best, of each region."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core.series import top_voxels
from pipeline.dataset.dataset import VOXELS
from pipeline.fit.file import FitFile

COLUMNS = ["subject", "model", "parcellation", "region", "n_voxels", "band", "r2", "fraction"]
ALL, TOP = "all", "top 10 %"  # places of the parcellation `VOXELS`, which every run has


def shares_table(
    fits: Mapping[tuple[str, str], str | Path],
    labels: Mapping[str, Mapping[str, np.ndarray]],
    baseline: str,
) -> pd.DataFrame:
    """The product measure of every band, mean over the voxels of a place, columns `COLUMNS`.

    A model's shares sum to its R2 there (about the means of each test story). They are negative
    where a band makes predictions worse; `fraction`, the share over R2, is NaN where R2 is not
    above 0.

    Parameters
    ----------
    fits : mapping of (subject, model) to path
        HDF5 of the fits.
    labels : mapping of subject to mapping of parcellation to array of str, shape (n_voxels,)
        Region of every voxel, empty where there is none.
    baseline : str
        Its cross-validation r chooses the best 10 % of voxels (none of fewer than 100).
    """
    rows = []
    for (subject, model), path in fits.items():
        shares = FitFile(path).shares()
        stacked = np.stack(list(shares.values()))
        best = top_voxels(FitFile(fits[subject, baseline]).scores().r_cv)
        places = {(VOXELS, ALL): np.arange(stacked.shape[1]), (VOXELS, TOP): best}
        for name, regions in labels[subject].items():
            found = np.unique(regions[regions != ""])
            places |= {(name, str(region)): np.flatnonzero(regions == region) for region in found}
        for (name, region), voxels in places.items():
            known = voxels[~np.isnan(stacked[:, voxels]).any(axis=0)]
            mean = stacked[:, known].mean(axis=1) if len(known) else np.full(len(shares), np.nan)
            place: dict[str, object] = {"subject": subject, "model": model, "parcellation": name}
            place |= {"region": region, "n_voxels": len(known)}
            total = mean.sum()
            rows += [
                place | {"band": band, "r2": r2, "fraction": r2 / total if total > 0 else np.nan}
                for band, r2 in zip(shares, mean, strict=True)
            ]
    return pd.DataFrame(rows, columns=COLUMNS)
