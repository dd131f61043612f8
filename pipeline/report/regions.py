"""Tables and charts by region."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.report.maps import picture_url
from pipeline.summary import MEAN

MOST = 12  # columns of the table; a finer parcellation has its chart and the TSV


def parcellations(table: pd.DataFrame, charts: Mapping[str, Path]) -> list[dict[str, Any]]:
    """Mean r and gain of each model in each region, one table a parcellation.

    Parameters
    ----------
    table : DataFrame
        regions.tsv.
    charts : dict of parcellation to path
        Its chart.

    Returns
    -------
    list of dict
        `name`, `regions` (names), `rows` (subject, model and a `cell` for each region: its row of
        the table), `top` (largest mean r, for the colours), `chart` (data URL or None).
    """
    found = []
    for name, own in table[table["subject"] != MEAN].groupby("parcellation", sort=False):
        regions = own["region"].drop_duplicates().tolist()
        cells = {
            (row["subject"], row["model"], row["region"]): row for row in own.to_dict("records")
        }
        keys = own[["subject", "model"]].drop_duplicates().itertuples(index=False, name=None)
        found.append(
            {
                "name": name,
                "regions": regions[:MOST],
                "left_out": len(regions[MOST:]),
                "rows": [
                    {
                        "subject": s,
                        "model": m,
                        "cells": [cells.get((s, m, r)) for r in regions[:MOST]],
                    }
                    for s, m in keys
                ],
                "top": float(own["r_mean"].max()),
                "chart": picture_url(charts[str(name)]) if name in charts else None,
            }
        )
    return found
