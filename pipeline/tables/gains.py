"""What a band adds: pairs of models that differ in exactly that one band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.config.models import nested_pairs
from pipeline.core.interval import story_mean
from pipeline.core.series import mean_of, top_voxels
from pipeline.dataset.dataset import MEAN
from pipeline.fit.file import FitFile, Scores

COLUMNS = [
    "subject", "model", "over", "band", "gain", "gain_lo", "gain_hi", "gain_top10",
    "gain_top10_lo", "gain_top10_hi", "gain_test", "gain_test_top10",
]  # fmt: skip
CLEAN = [f"{name}_clean{end}" for name in ("gain", "gain_top10") for end in ("", "_lo", "_hi")]


def gains(
    fits: Mapping[tuple[str, str], str | Path],
    models: Mapping[str, list[str]],
    baseline: str,
    known: Sequence[str] = (),
) -> pd.DataFrame:
    """Gain in r of every model over those that lack one of its bands.

    Parameters
    ----------
    fits : dict of (subject, model) to path
        HDF5 files of the fits.
    models : dict of str to list of str
        Bands of each model.
    baseline : str
        Its cross-validation r chooses the best 10 % of voxels, the same for all pairs.
    known : sequence of str
        Training stories that stand in a text which a band knows.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`. `gain` is the difference in out-of-fold r over the training stories,
        mean over voxels, with its Student t interval over stories, paired by story; `gain_top10`
        the same in the best voxels (NaN of fewer than 100); `gain_test` and `gain_test_top10` are
        differences in test r, without an interval since test stories are few. The rows `mean` are
        means over subjects.
        Where stories are known, `CLEAN` columns follow: `gain` and `gain_top10` over the others.
    """
    subjects = list(dict.fromkeys(subject for subject, _ in fits))
    pairs = nested_pairs(models)
    stories: dict[tuple[str, ...], pd.DataFrame] = {}
    tests: dict[tuple[str, ...], pd.Series] = {}
    for subject in subjects:
        scores = {m: FitFile(fits[subject, m]).scores() for m in models}
        best = top_voxels(scores[baseline].r_cv)
        for pair in pairs:
            stories[subject, *pair], tests[subject, *pair] = _compare(
                scores[pair[0]], scores[pair[1]], best
            )
    for pair in pairs:
        own = pd.concat([stories[s, *pair] for s in subjects])
        stories[MEAN, *pair] = own.groupby(level=0, sort=False).mean()
        tests[MEAN, *pair] = pd.concat([tests[s, *pair] for s in subjects], axis=1).mean(axis=1)
    rows = [
        dict(zip(COLUMNS, key, strict=False))
        | (_intervals(by_story) | _intervals(by_story.drop(index=known, errors="ignore"), "_clean"))
        | dict(tests[key])
        for key, by_story in stories.items()
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS, *CLEAN] if len(known) else COLUMNS)


def _compare(more: Scores, fewer: Scores, best: np.ndarray) -> tuple[pd.DataFrame, pd.Series]:
    """Differences by training story, and in the test stories."""
    train, test = more.r_train - fewer.r_train, more.r - fewer.r
    by_story = {
        "gain": np.nanmean(train, axis=1),
        "gain_top10": mean_of(train, best),
    }
    means = {"gain_test": np.nanmean(test), "gain_test_top10": float(mean_of(test, best))}
    return pd.DataFrame(by_story, index=more.train), pd.Series(means)


def _intervals(by_story: pd.DataFrame, ending: str = "") -> dict[str, float]:
    """Means over stories and their intervals; unknown (NaN) of fewer than two."""
    found: dict[str, float] = {}
    for name in ("gain", "gain_top10"):
        values, column = by_story[name].to_numpy(), f"{name}{ending}"
        ends = (column, f"{column}_lo", f"{column}_hi")
        found |= dict(zip(ends, story_mean(values).interval, strict=True))
    return found
