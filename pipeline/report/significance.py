"""Significance, noise ceilings and variance partitions as the report shows them."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from pipeline.report.figures import Difference, forest


def significance_rows(table: pd.DataFrame, baseline: str) -> list[dict[str, Any]]:
    """One record for each subject and model: its test of r, and those of differences.

    Parameters
    ----------
    table : DataFrame
        significance.tsv.
    baseline : str
        The baseline model.

    Returns
    -------
    list of dict
        `subject`, `model`, `r` (row of the table), `baseline` (row of the difference to the
        baseline, or None) and `others` (rows of all other tests). A row of the table also has
        `is_tested`: whether its p could be below alpha at all.
    """
    table = table.assign(is_tested=table["n_fdr"].notna())
    rows = []
    for (subject, model), own in table.groupby(["subject", "model"], sort=False):
        tests = own.to_dict("records")
        against = {t["against"]: t for t in tests if t["test"] == "contrast"}
        first = next((t for t in tests if t["test"] == "r"), None)
        others = [t for t in tests if t is not first and t is not against.get(baseline)]
        rows.append(
            {
                **{"subject": subject, "model": model, "r": first},
                **{"baseline": against.get(baseline), "others": others},
            }
        )
    return rows


def partition_rows(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Rows of partition.tsv; `is_tested` is False for unique parts that no test can tell from 0."""
    if table is None:
        return []
    is_tested = table["n_fdr"].notna() | (table["kind"] != "unique")
    records = table.assign(is_tested=is_tested).to_dict("records")
    return [{str(key): value for key, value in record.items()} for record in records]


def has_untested(table: pd.DataFrame, partition: list[dict[str, Any]]) -> bool:
    """Whether some test of significance.tsv, or of a partition, could not be significant."""
    return bool(table["n_fdr"].isna().any()) or not all(row["is_tested"] for row in partition)


def fewest_voxels(test: dict[str, Any], alpha: float) -> int:
    """Least number of voxels at the smallest p with which q, that p over their share, is < alpha.

    Parameters
    ----------
    test : dict
        Row of significance.tsv.
    alpha : float
        The level.
    """
    return math.floor(test["n_voxels"] * test["p_floor"] / alpha + 1e-9) + 1


def ceilings(table: pd.DataFrame) -> dict[str, Any]:
    """Rows and figure of the subjects that have a noise ceiling, and why others have none.

    Parameters
    ----------
    table : DataFrame
        ceiling.tsv.
    """
    known = table[table["n_voxels"] > 0]
    reasons = table[table["reason"].notna()].groupby("reason", sort=False)["subject"].unique()
    several = len(known["subject"].unique()) > 1
    differences = [
        Difference(
            f"{row['subject']}, {row['model']}" if several else str(row["model"]),
            row["r_ceiling_mean"], row["r_ceiling_lo"], row["r_ceiling_hi"],
            not row["uses_bold"],
        )
        for _, row in known.iterrows()
    ]  # fmt: skip
    return {
        "rows": known.to_dict("records"),
        "figure": forest(differences, "r / noise ceiling, mean over voxels")
        if len(known)
        else None,
        "reasons": [(", ".join(subjects), reason) for reason, subjects in reasons.items()],
    }
