"""Where a prediction comes from: which band explains which share, as the report shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.dataset.basis import BasisFile
from pipeline.dataset.dataset import VOXELS
from pipeline.report.figures import Bar, stacked
from pipeline.tables.shares import ALL, TOP

MOST_REGIONS = 12  # bars of a figure of regions: those of which most is explained


def shared_out(table: pd.DataFrame | None, models: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Figures of the bands' shares, of models and of regions; means over the subjects.

    Parameters
    ----------
    table : DataFrame or None
        shares.tsv.
    models : mapping of model to sequence of str
        Bands of each model.

    Returns
    -------
    dict
        `models`, a figure with a bar a model (None if no model has several bands); `of`, the voxels
        that it is of; `regions`, of each parcellation the same with a bar a region, of the model
        `shown`; `rows` of shares.tsv.
    """
    several = [model for model, bands in models.items() if len(bands) > 1]
    if table is None or not several:
        return {"models": None, "of": None, "regions": {}, "shown": None, "rows": []}
    keys = ["model", "parcellation", "region", "band"]
    mean = table.groupby(keys, sort=False)[["r2", "fraction"]].mean().reset_index()
    of = TOP if (table["region"].eq(TOP) & (table["n_voxels"] > 0)).any() else ALL
    best = mean[(mean["parcellation"] == VOXELS) & (mean["region"] == of)]
    shown = max(several, key=lambda model: len(models[model]))
    own = mean[(mean["model"] == shown) & (mean["parcellation"] != VOXELS)]
    label = "share of variance explained (R²), test stories"
    return {
        "of": of,
        "models": stacked(_bars(best[best["model"].isin(several)], "model"), label),
        "regions": {
            str(name): stacked(_most(_bars(part, "region")), label)
            for name, part in own.groupby("parcellation", sort=False)
        },
        "shown": shown,
        "rows": best.to_dict("records"),
    }


def kept_variance(bases: Mapping[str, str | Path]) -> dict[str, float]:
    """Share of BOLD's variance that each subject's components keep, where it is known.

    Parameters
    ----------
    bases : mapping of subject to path
        Files of `pipeline.dataset.basis.response_basis`.
    """
    known = {subject: BasisFile(path).kept() for subject, path in bases.items()}
    return {subject: kept for subject, kept in known.items() if kept is not None}


def _bars(table: pd.DataFrame, by: str) -> list[Bar]:
    """A bar for each value of a column."""
    return [
        Bar(str(name), dict(zip(part["band"], part["r2"].fillna(0.0), strict=True)))
        for name, part in table.groupby(by, sort=False)
    ]


def _most(bars: list[Bar]) -> list[Bar]:
    """The bars of which most is explained, in their order."""
    totals = sorted((sum(bar.parts.values()) for bar in bars), reverse=True)
    return [bar for bar in bars if sum(bar.parts.values()) >= totals[:MOST_REGIONS][-1]]
