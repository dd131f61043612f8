"""familiarity.tsv: how well each language model foretells each story, and which it may know."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.config.readings import Wanted
from pipeline.core.errors import Problem
from pipeline.states.file import StatesFile

COLUMNS = ["model", "context", "bands", "story", "part", "bits_per_byte", "over_median", "known"]
KNOWN = 0.7  # share of the median story's bits below which a model seems to know one by heart


def familiarity(
    files: Mapping[str, str | Path], wanted: Mapping[str, Wanted], train: Sequence[str]
) -> pd.DataFrame:
    """Bits a byte of every story, by every pass of a model over the stories.

    What a model was trained on is rarely known. Text that it has by heart takes it far fewer bits
    than text of the same kind.

    Parameters
    ----------
    files : mapping of key to path
        States (`pipeline.states.file.StatesFile`) of each pass.
    wanted : mapping of key to Wanted
        What each pass is (`pipeline.config.readings.readings`).
    train : sequence of str
        Training stories.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`: `over_median` is the story's bits over the median story's; `known` says
        whether that is below `KNOWN`. A model that does not tell has no rows.
    """
    rows = []
    for key, path in files.items():
        bits = pd.Series(StatesFile(path).bits_per_byte(), dtype=float)
        name, reading = StatesFile(path).origin()["name"], wanted[key].reading
        context = "all" if reading.context is None else str(reading.context)
        for story, value in bits.items():
            over = value / bits.median()
            part = "train" if story in train else "test"
            where = [name, context, "+".join(wanted[key].bands), story, part]
            rows.append([*where, value, over, bool(over < KNOWN)])
    return pd.DataFrame(rows, columns=COLUMNS)


def familiar_training_stories(table: pd.DataFrame) -> list[str]:
    """Training stories that some model seems to know, each once."""
    known = table[table["known"].astype(bool) & (table["part"] == "train")]
    return known["story"].unique().tolist()


def familiarity_warnings(table: pd.DataFrame, path: str | Path) -> list[str]:
    """A warning of each story that a model seems to know."""
    remedy = "leave it out, or give its bands' figures without it"
    return [
        str(Problem(path, row["story"], _told(row), remedy))
        for row in table[table["known"].astype(bool)].to_dict("records")
    ]


def _told(row: Mapping[Hashable, Any]) -> str:
    return (
        f"{row['model']} ({row['bands']}) foretells it at {row['bits_per_byte']:.2f} bits a byte, "
        f"{row['over_median']:.0%} of the median story's: it may know it by heart"
    )
