"""The table of a run: one row per subject and model, and their mean over subjects."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core.interval import story_mean
from pipeline.core.series import mean_of, top_or_all, top_voxels
from pipeline.dataset.dataset import MEAN
from pipeline.fit.file import FitFile, Scores
from pipeline.statistics.random_effects import random_effects

COLUMNS = [
    "subject", "model", "bands", "horizon", "n_voxels", "r_mean", "r_concat", "r_top10_test",
    "r_top10_cv", "delta_eng1000", "delta_lo", "delta_hi",
]  # fmt: skip
SUBJECTS = ["subj_lo", "subj_hi", "r_subj_lo", "r_subj_hi"]  # where there are several


def summarise(
    fits: Mapping[tuple[str, str], str | Path], baseline: str, horizon: int
) -> pd.DataFrame:
    """Summarise the fits of a run.

    `delta_eng1000` is the out-of-fold r over the training stories minus the baseline model's,
    averaged over one set of voxels (the best 10 % by the baseline's cross-validation r; of fewer
    than 100 voxels, which have no best 10 %, all), with the Student t interval over stories, paired
    by story. `r_top10_*` are NaN of fewer than 100 voxels, and left out of their means.

    Parameters
    ----------
    fits : dict of (subject, model) to path
        HDF5 files of the fits.
    baseline : str
        The model compared with.
    horizon : int
        The run's horizon, TRs.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`; the rows `mean` are means over subjects, whose interval is over stories
        after averaging each story over subjects. `r_top10_*` are NaN of fewer than 100 voxels, and
        left out of their means. Of several subjects `SUBJECTS` follow, which only
        the rows `mean` have: the 95 % intervals over subjects of `delta_eng1000` and of `r_mean`.
    """
    subjects = list(dict.fromkeys(subject for subject, _ in fits))
    models = list(dict.fromkeys(model for _, model in fits))
    rows, differences = [], {}
    for subject in subjects:
        reference = FitFile(fits[subject, baseline]).scores()
        common = top_or_all(reference.r_cv)
        for model in models:
            scores = FitFile(fits[subject, model]).scores()
            gained = mean_of(scores.r_train - reference.r_train, common)
            differences[subject, model] = pd.Series(gained, index=scores.train)
            rows.append(_row(subject, model, scores, horizon) | difference(gained))
    for model in models:
        own_rows = [row for row in rows if row["model"] == model]
        own = pd.DataFrame(own_rows)
        means = own[["r_mean", "r_concat", "r_top10_test", "r_top10_cv"]].mean()
        common_stories = pd.concat([differences[s, model] for s in subjects], axis=1).mean(axis=1)
        rows.append(
            own_rows[0]
            | {"subject": MEAN, "n_voxels": int(own["n_voxels"].sum())}
            | {str(column): value for column, value in means.items()}
            | difference(common_stories.to_numpy())
            | _over_subjects(own)
        )
    return pd.DataFrame(rows, columns=[*COLUMNS, *SUBJECTS] if len(subjects) > 1 else COLUMNS)


def _over_subjects(own: pd.DataFrame) -> dict[str, float]:
    """Intervals over subjects, each one value: what a model gains, and its r."""
    found = random_effects(own[["delta_eng1000", "r_mean"]].to_numpy(float))
    ends = np.stack([found.lo, found.hi], axis=1).ravel()
    return dict(zip(SUBJECTS, ends.tolist(), strict=True))


def _row(subject: str, model: str, scores: Scores, horizon: int) -> dict[str, object]:
    return {
        "subject": subject,
        "model": model,
        "bands": "+".join(scores.bands),
        "horizon": horizon,
        "n_voxels": int((~np.isnan(scores.r)).sum()),
        "r_mean": np.nanmean(scores.r),
        "r_concat": np.nanmean(scores.r_concat),
        "r_top10_test": float(mean_of(scores.r, top_voxels(scores.r))),
        "r_top10_cv": float(mean_of(scores.r, top_voxels(scores.r_cv))),
    }


def difference(by_story: np.ndarray) -> dict[str, float]:
    """`story_mean` of differences to the baseline, under the names of its columns."""
    keys = ("delta_eng1000", "delta_lo", "delta_hi")
    return dict(zip(keys, story_mean(by_story).interval, strict=True))
