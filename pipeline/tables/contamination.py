"""contamination.tsv: how much of each story stands in a text that the run knows beforehand."""

from __future__ import annotations

from typing import Any

import pandas as pd

COLUMNS = ["source", "bands", "story", "part", "share"]
NOTED = 0.01  # share of a story's runs of words from which it is told
MUCH = 0.20  # and from which it counts as known


def known_training_stories(table: pd.DataFrame) -> list[str]:
    """Training stories that count as known, each once."""
    known = table[(table["share"] >= MUCH) & (table["part"] == "train")]
    return known["story"].unique().tolist()


def by_source(table: pd.DataFrame) -> list[dict[str, Any]]:
    """One record for each text: its name and bands, and its stories.

    Returns
    -------
    list of dict
        `source`, `bands`; `n`, the stories compared, 0 if the text is not here; `most`, the largest
        share; `told`, records of the stories with a share of `NOTED` or more, largest first.
    """
    records = []
    for (source, bands), own in table.groupby(["source", "bands"], sort=False):
        compared = own.dropna(subset=["share"]).sort_values("share", ascending=False, kind="stable")
        told = compared[compared["share"] >= NOTED].to_dict("records")
        facts = {"n": len(compared), "most": compared["share"].max(), "told": told}
        records.append({"source": source, "bands": bands} | facts)
    return records
