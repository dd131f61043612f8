"""How models do in each region: mean correlation, gain over baseline and control, selectivity."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from pipeline.core.interval import story_mean
from pipeline.dataset.dataset import MEAN
from pipeline.fit.file import FitFile, Scores
from pipeline.regions.annotation import NO_REGION

COLUMNS = [
    "subject", "model", "parcellation", "region", "n_voxels", "r_mean", "delta_eng1000",
    "delta_lo", "delta_hi", "over", "gain", "gain_lo", "gain_hi", "selectivity",
    "selectivity_lo", "selectivity_hi",
]  # fmt: skip
KEYS = ["subject", "model", "parcellation", "region"]
# Columns with an interval over stories, and what the columns of its ends start with.
PAIRED = {"delta_eng1000": "delta", "gain": "gain", "selectivity": "selectivity"}


def summarise_regions(
    fits: Mapping[tuple[str, str], str | Path],
    labels: Mapping[str, Mapping[str, np.ndarray]],
    *,
    baseline: str,
    over: Mapping[str, str],
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
    over : dict of model to model
        Models with a matcher and those that lack it alone (`pipeline.config.models.lag_controls`).

    Returns
    -------
    DataFrame
        Columns `COLUMNS`. `n_voxels` counts voxels whose response varies, `r_mean` is their mean
        test r. `delta_eng1000` and `gain` are the differences in out-of-fold r over the training
        stories to the baseline and to the model `over` (NaN where there is none). `selectivity` is
        `gain`, or without it `delta_eng1000`, minus its mean in all other regions of the
        parcellation (NaN if there is only one). All three have Student t intervals over stories,
        paired by story. Rows `mean` are means over the subjects that have the region, as in
        `pipeline.tables.summary`.
    """
    facts, stories = [], []
    for (subject, model), path in fits.items():
        scores = FitFile(path).scores()
        delta = scores.r_train - FitFile(fits[subject, baseline]).scores().r_train
        gain = None
        if model in over:
            gain = scores.r_train - FitFile(fits[subject, over[model]]).scores().r_train
        for name, regions in labels[subject].items():
            key = {"subject": subject, "model": model, "parcellation": name}
            fact, by_story = _one(scores, delta, gain, regions)
            facts.append(fact.assign(**key))
            stories.append(by_story.assign(**key))
    table, by_story = pd.concat(facts), pd.concat(stories)
    rows = _rows(table, by_story)
    mean = {"n_voxels": "sum", "r_mean": "mean"}
    pooled = table.groupby(KEYS[1:], sort=False).agg(mean).reset_index()
    averaged = by_story.groupby([*KEYS[1:], "story"], sort=False)[list(PAIRED)].mean()
    rows += _rows(pooled.assign(subject=MEAN), averaged.reset_index().assign(subject=MEAN))
    found = pd.DataFrame(rows)
    return found.assign(over=found["model"].map(over))[COLUMNS]


def _one(
    scores: Scores, delta: np.ndarray, gain: np.ndarray | None, regions: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Facts of each region of a fit, and its differences in each training story."""
    inside = np.flatnonzero(regions != NO_REGION)
    names, region = np.unique(regions[inside], return_inverse=True)
    shape = (len(regions), len(names))
    member = sparse.csr_array((np.ones(len(inside)), (inside, region)), shape=shape)
    r, n_voxels = _sums(scores.r[None], member)
    fact = pd.DataFrame({"region": names, "n_voxels": n_voxels[0].astype(int)})
    fact["r_mean"] = _ratio(r, n_voxels)[0]
    judged = delta if gain is None else gain
    by_story = pd.DataFrame(
        {
            "region": np.tile(names, len(delta)),
            "story": np.repeat(scores.train, len(names)),
            "delta_eng1000": _ratio(*_sums(delta, member)).ravel(),
            "gain": np.nan if gain is None else _ratio(*_sums(gain, member)).ravel(),
            "selectivity": _contrast(*_sums(judged, member)).ravel(),
        }
    )
    return fact, by_story


def _contrast(inside: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean in every region minus that in all others."""
    outside = inside.sum(axis=1, keepdims=True) - inside
    others = counts.sum(axis=1, keepdims=True) - counts
    return _ratio(inside, counts) - _ratio(outside, others)


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
        for column, name in PAIRED.items():
            ends = (column, f"{name}_lo", f"{name}_hi")
            found = story_mean(group[column].to_numpy())
            fact |= dict(zip(ends, found.interval, strict=True))
        rows.append(fact)
    return rows
