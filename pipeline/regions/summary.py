"""How models do in each region: mean correlation, gain over the baseline, selectivity."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from pipeline.regions.annotation import NO_REGION
from pipeline.summary import MEAN, Scores, interval

COLUMNS = [
    "subject", "model", "parcellation", "region", "n_voxels", "r_mean", "delta_eng1000",
    "delta_lo", "delta_hi", "selectivity", "selectivity_lo", "selectivity_hi",
]  # fmt: skip
KEYS = ["subject", "model", "parcellation", "region"]


def summarise_regions(
    fits: Mapping[tuple[str, str], str | Path],
    labels: Mapping[str, Mapping[str, np.ndarray]],
    baseline: str,
) -> pd.DataFrame:
    """Summarise the fits of a run by region.

    Parameters
    ----------
    fits : dict of (subject, model) to path
        HDF5 files of the fits.
    labels : dict of subject to dict of parcellation to array of str, shape (n_voxels,)
        Region of every voxel, empty where there is none.
    baseline : str
        The model compared with.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`. `n_voxels` counts voxels whose response varies, `r_mean` is their mean
        test r. `delta_eng1000` is the mean gain in out-of-fold r over the training stories, and
        `selectivity` that gain minus the mean gain in all other regions of the parcellation (NaN if
        there is only one), both with Student t intervals over stories, paired by story. Rows `mean`
        are means over the subjects that have the region, as in `pipeline.summary`.
    """
    facts, stories = [], []
    for (subject, model), path in fits.items():
        scores, reference = Scores.read(path), Scores.read(fits[subject, baseline])
        for name, regions in labels[subject].items():
            key = {"subject": subject, "model": model, "parcellation": name}
            fact, by_story = _one(scores, scores.r_train - reference.r_train, regions)
            facts.append(fact.assign(**key))
            stories.append(by_story.assign(**key))
    table, by_story = pd.concat(facts), pd.concat(stories)
    rows = _rows(table, by_story)
    mean = {"n_voxels": "sum", "r_mean": "mean"}
    pooled = table.groupby(KEYS[1:], sort=False).agg(mean).reset_index()
    averaged = by_story.groupby([*KEYS[1:], "story"], sort=False)[["gain", "contrast"]].mean()
    rows += _rows(pooled.assign(subject=MEAN), averaged.reset_index().assign(subject=MEAN))
    return pd.DataFrame(rows, columns=COLUMNS)


def _one(
    scores: Scores, gain: np.ndarray, regions: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Facts of each region of a fit, and its gain in each training story."""
    names = np.unique(regions[regions != NO_REGION])
    member = sparse.csr_array(regions[:, None] == names[None, :]).astype(float)
    r, n_voxels = _sums(scores.r[None], member)
    fact = pd.DataFrame({"region": names, "n_voxels": n_voxels[0].astype(int)})
    fact["r_mean"] = _ratio(r, n_voxels)[0]
    inside, counts = _sums(gain, member)
    outside = inside.sum(axis=1, keepdims=True) - inside
    others = counts.sum(axis=1, keepdims=True) - counts
    mean = _ratio(inside, counts)
    by_story = pd.DataFrame(
        {
            "region": np.tile(names, len(gain)),
            "story": np.repeat(scores.train, len(names)),
            "gain": mean.ravel(),
            "contrast": (mean - _ratio(outside, others)).ravel(),
        }
    )
    return fact, by_story


def _sums(values: np.ndarray, member: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Sum and number of finite values in every region, both of shape (n_rows, n_regions)."""
    finite = np.isfinite(values)
    return np.where(finite, values, 0) @ member, finite.astype(float) @ member


def _ratio(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _rows(facts: pd.DataFrame, by_story: pd.DataFrame) -> list[dict[Hashable, object]]:
    """Rows of the table: the facts with the intervals over stories."""
    groups = dict(list(by_story.groupby(KEYS, sort=False)))
    rows: list[dict[Hashable, object]] = []
    for fact in facts.to_dict("records"):
        group = groups[tuple(fact[key] for key in KEYS)]
        intervals = (
            *interval(group["gain"].to_numpy()),
            *interval(group["contrast"].to_numpy()),
        )
        rows.append(fact | dict(zip(COLUMNS[-6:], intervals, strict=True)))
    return rows
