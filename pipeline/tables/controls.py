"""Tables of controls that are made when asked for: shuffled chunks, other listeners."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core.interval import story_mean
from pipeline.fit.file import FitFile

CHUNKS = [
    "subject", "model", "n_voxels", "r_stories", "r_shuffled_chunks", "inflation", "inflation_lo",
    "inflation_hi", "warning",
]  # fmt: skip
WARNING = (
    "r_shuffled_chunks is no result: rows next to those predicted trained the model; cite r_stories"
)
INTERSUBJECT = [
    "subject", "model", "method", "n_others", "stories", "n_voxels", "r_others", "r_model",
    "r_over_others",
]  # fmt: skip
Paths = Mapping[tuple[str, str], str | Path]  # (subject, model) to file


def chunks_table(
    fits: Paths, shuffled: Mapping[tuple[str, str], np.ndarray], voxels: Mapping[str, slice]
) -> pd.DataFrame:
    """Out-of-fold r with folds of whole stories and with shuffled chunks, columns `CHUNKS`.

    Parameters
    ----------
    fits : mapping of (subject, model) to path
        HDF5 of the fits.
    shuffled : mapping of (subject, model) to array of shape (n_train, n_voxels)
        `pipeline.statistics.chunks.r_of_shuffled_chunks`.
    voxels : mapping of subject to slice
        The voxels of it.
    """
    rows = []
    for (subject, model), r in shuffled.items():
        honest = FitFile(fits[subject, model]).scores().r_train[:, voxels[subject]]
        by_story = np.nanmean(r - honest, axis=1)
        ends = zip(CHUNKS[5:8], story_mean(by_story).interval, strict=True)
        rows.append(
            {"subject": subject, "model": model, "n_voxels": int((~np.isnan(r)).any(axis=0).sum())}
            | {"r_stories": np.nanmean(honest), "r_shuffled_chunks": np.nanmean(r)}
            | dict(ends)
            | {"warning": WARNING}
        )
    return pd.DataFrame(rows, columns=CHUNKS)


def intersubject_table(
    fits: Paths, others: Mapping[str, np.ndarray], *, method: str, stories: list[str]
) -> pd.DataFrame:
    """Test r of every model beside that of other listeners, columns `INTERSUBJECT`.

    Parameters
    ----------
    fits : mapping of (subject, model) to path
        HDF5 of the fits.
    others : mapping of subject to array of shape (n_stories, n_voxels)
        `pipeline.statistics.intersubject.r_of_others`.
    method : str
        How the others were compared.
    stories : list of str
        Test stories that all subjects heard. r is the mean over these, then over voxels;
        `r_over_others` is the ratio of the means.
    """
    rows = []
    for (subject, model), path in fits.items():
        r_test = FitFile(path).r_test()
        r_model = np.nanmean([np.nanmean(r_test[story]) for story in stories])
        r_others = np.nanmean(others[subject])
        known = (~np.isnan(others[subject])).any(axis=0)
        rows.append(
            {"subject": subject, "model": model, "method": method, "n_others": len(others) - 1}
            | {"stories": "+".join(stories), "n_voxels": int(known.sum())}
            | {"r_others": r_others, "r_model": r_model}
            | {"r_over_others": r_model / r_others if r_others > 0 else np.nan}
        )
    return pd.DataFrame(rows, columns=INTERSUBJECT)
