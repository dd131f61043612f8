"""Tables and charts by region."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.dataset.dataset import MEAN
from pipeline.report.answer import shown_subject
from pipeline.report.maps import picture_url

MOST = 12  # columns of the tables; a finer parcellation has its chart and the TSV


def parcellations(table: pd.DataFrame, charts: Mapping[str, Path]) -> list[dict[str, Any]]:
    """Mean r of each model in each region, and gains over lag controls, two tables a parcellation.

    Parameters
    ----------
    table : DataFrame
        regions.tsv.
    charts : dict of parcellation to path
        Its chart.

    Returns
    -------
    list of dict
        `name`, `regions` (names, those of the largest mean r where there are many), `left_out` (how
        many there are besides), `missing` (region to how many subjects have it, where not all do),
        `gains` (rows of the shown subject's models with a lag control), `rows` (rows of the shown
        subject's models) and `each` (those of all subjects), each with subject, model, over and a
        `cell` for each region: its row of the table; `top` (largest mean r, for the colours),
        `chart` (data URL or None).
    """
    found = []
    for name, own in table.groupby("parcellation", sort=False):
        single, shown = own[own["subject"] != MEAN], own[own["subject"] == shown_subject(own)]
        regions = _best(single)
        found.append(
            {
                "name": name,
                "regions": regions,
                "left_out": single["region"].nunique() - len(regions),
                "gains": _rows(shown[shown["over"].notna()], regions),
                "missing": _missing(single),
                "rows": _rows(shown, regions),
                "each": _rows(single, regions),
                "top": float(single["r_mean"].max()),
                "chart": picture_url(charts[str(name)]) if name in charts else None,
            }
        )
    return found


def _missing(table: pd.DataFrame) -> dict[str, int]:
    """Regions that not all subjects have, and how many do."""
    n = table.groupby("region", sort=False)["subject"].nunique()
    return {str(region): int(k) for region, k in n[n < table["subject"].nunique()].items()}


def _best(table: pd.DataFrame) -> list[str]:
    """Regions predicted best, in the order of the table."""
    best = table.groupby("region", sort=False)["r_mean"].mean().nlargest(MOST).index
    return [region for region in table["region"].drop_duplicates() if region in best]


def _rows(table: pd.DataFrame, regions: list[str]) -> list[dict[str, Any]]:
    """One row for each subject and model, with a cell for each region."""
    rows = []
    for (subject, model), own in table.groupby(["subject", "model"], sort=False):
        cells = {cell["region"]: cell for cell in own.to_dict("records")}
        rows.append(
            {
                **{"subject": subject, "model": model, "over": own["over"].iloc[0]},
                "cells": [cells.get(region) for region in regions],
            }
        )
    return rows
