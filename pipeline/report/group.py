"""What subjects have in common: tables, each subject a dot, posteriors of prevalence, maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.dataset.dataset import VOXELS
from pipeline.report.figures import MANY, Difference, densities, forest
from pipeline.report.maps import map_pictures
from pipeline.statistics.prevalence import Prevalence
from pipeline.tables.group import COMPARISON

MOST_REGIONS = 2 * MANY  # of a figure and its table; the others are in group.tsv
MOST_CURVES = 7  # in one picture of posteriors
GRID = np.linspace(0, 1, 401)


def over_subjects(
    group: pd.DataFrame | None,
    subjects: pd.DataFrame | None,
    listing: Path | None,
    models: Mapping[str, Sequence[str]],
) -> dict[str, Any] | None:
    """What the report says of subjects together; None of one subject.

    Parameters
    ----------
    group, subjects : DataFrame or None
        group.tsv and group_subjects.tsv.
    listing : path or None
        The list of the maps over subjects; the files lie beside it.
    models : mapping of model to sequence of str
        Bands of all models: only models that extend another one are in the figure of all voxels.

    Returns
    -------
    dict or None
        `rows` of all voxels, each with a `label`; their `figure` and the `posteriors`;
        `parcellations`, each with its name and `comparisons` (`label`, `rows`, `figure`, `left_out`
        regions); `alpha`, `n_flips`; `notes`, what cannot be said and why; `maps`
        (`pipeline.report.maps.map_pictures`) or None.
    """
    if group is None or subjects is None:
        return None
    group, subjects = (_labelled(table) for table in (group, subjects))
    everywhere = group[group["parcellation"] == VOXELS]
    bands = {model: set(names) for model, names in models.items()}
    extends = [bands[m] > bands.get(b, bands[m]) for m, b in everywhere[COMPARISON].to_numpy()]
    differences = everywhere[extends]
    own = subjects[subjects["parcellation"] == VOXELS]
    maps = map_pictures(listing) if listing else None
    notes = [*group["note"].dropna().unique(), *(maps["notes"] if maps else ())]
    return {
        "rows": everywhere.to_dict("records"),
        "figure": _forest(differences, own, "label") if len(differences) else None,
        "posteriors": _posteriors(everywhere),
        "parcellations": [
            {"name": name, "comparisons": _comparisons(table, subjects)}
            for name, table in group.groupby("parcellation", sort=False)
            if name != VOXELS
        ],
        "alpha": float(group["alpha"].iloc[0]),
        "n_flips": int(group["n_flips"].max()),
        "notes": list(dict.fromkeys(notes)),
        "maps": maps if maps and maps["pictures"] else None,
    }


def _labelled(table: pd.DataFrame) -> pd.DataFrame:
    """The table with what is compared in words."""
    against = " over " + table["baseline"].astype("object").fillna("")
    label = table["model"] + against.where(table["baseline"].notna(), ", r")
    return table.assign(label=label)


def _comparisons(group: pd.DataFrame, subjects: pd.DataFrame) -> list[dict[str, Any]]:
    """Of one parcellation: each comparison's regions, those of the largest means either way."""
    found = []
    name = group["parcellation"].iloc[0]
    for label, own in group.groupby("label", sort=False):
        largest = own["mean"].abs().nlargest(MOST_REGIONS).index
        shown = own[own.index.isin(largest)]
        each = subjects[(subjects["parcellation"] == name) & (subjects["label"] == label)]
        found.append(
            {
                "label": label,
                "rows": shown.to_dict("records"),
                "figure": _forest(shown, each, "region"),
                "left_out": len(own) - len(shown),
            }
        )
    return found


def _forest(group: pd.DataFrame, subjects: pd.DataFrame, named: str) -> str:
    """Means with their intervals over subjects, each subject a dot; filled, if clear of 0."""
    dots = subjects.groupby(named, sort=False)["mean"].agg(list)
    rows = [
        Difference(
            str(row[named]), row["mean"], row["subj_lo"], row["subj_hi"],
            bool(row["subj_lo"] > 0 or row["subj_hi"] < 0), dots[row[named]],
        )
        for row in group.to_dict("records")
    ]  # fmt: skip
    what = "out-of-fold r" if group["baseline"].isna().all() else "difference in out-of-fold r"
    return forest(rows, what)


def _posteriors(rows: pd.DataFrame) -> str | None:
    """Posterior of the prevalence of each comparison."""
    known = rows[rows["prevalence"].notna()].head(MOST_CURVES)
    curves = {
        str(row["label"]): Prevalence(
            int(row["n_positive"]), int(row["n_tested"]), float(row["alpha"])
        ).density(GRID)
        for row in known.to_dict("records")
    }
    label = "share of the population in which the effect is found (prevalence)"
    return densities(GRID, curves, label) if curves else None
