"""Oracle matcher, for simulated subjects: the true earlier occurrence of each event."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.dataset.story import Story
from pipeline.matching.matches import NO_MATCH, Matches

OPTIONS: dict[str, Any] = {}
RESOURCES = ("truth",)


@cache
def _events(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t")


def match(
    story: Story, newest: np.ndarray, rng: np.random.Generator, options: Mapping[str, Any]
) -> Matches:
    """Match each row of a recurring event to the same moment of its earlier occurrence."""
    events = _events(Path(options["truth"]) / "events.tsv")
    recurring = events["kind"].isin(["verbatim", "paraphrase"])
    match_row = np.full(len(newest), NO_MATCH)
    words = [""] * len(newest)
    for event in events[(events["story"] == story.name) & recurring].to_dict("records"):
        first, last = int(event["row_first"]), int(event["row_last"])
        rows = np.arange(max(first, 0), min(last, len(newest) - 1) + 1)
        earlier = rows - first + int(event["earlier_row_first"])
        eligible = (earlier >= 0) & (earlier <= newest[rows])
        match_row[rows[eligible]] = earlier[eligible]
        for row in rows[eligible]:
            words[row] = f"event {event['event']} ({event['kind']})"
    return Matches.hard(match_row, np.ones(len(newest)), words)
