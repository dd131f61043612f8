"""The question of a run and what its numbers answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.bands.registry import band_options
from pipeline.config.models import lag_control
from pipeline.dataset.dataset import MEAN
from pipeline.report.figures import Difference, forest

TRUTH = "oracle"  # the kind of matcher that is told the true matches


@dataclass(frozen=True)
class Verdict:
    """What the gain of a band says.

    Parameters
    ----------
    row : dict
        Row of gains.tsv.
    control : str or None
        The band's lag control, if the model held against has it.
    told : bool
        Whether the band was told the true matches.
    """

    row: dict[str, Any]
    control: str | None = None
    told: bool = False

    @property
    def sign(self) -> int:
        """1 or -1 where the interval excludes 0, else 0."""
        return int(self.row["gain_lo"] > 0) - int(self.row["gain_hi"] < 0)

    @property
    def confirmed(self) -> bool:
        """Whether the gain on the test stories has the same sign."""
        return self.row["gain"] * self.row["gain_test"] > 0


def shown_subject(table: pd.DataFrame) -> str:
    """The subject whose rows stand for all: the only one, else their mean."""
    subjects = [subject for subject in table["subject"].unique() if subject != MEAN]
    return subjects[0] if len(subjects) == 1 else MEAN


def answer(config: dict[str, Any], gains: pd.DataFrame, subject: str) -> dict[str, Any]:
    """Verdicts on what bands add, those made from matches first.

    Parameters
    ----------
    config : dict
        The complete configuration.
    gains : DataFrame
        gains.tsv.
    subject : str
        Whose rows are read (`shown_subject`).

    Returns
    -------
    dict
        `verdicts`, of matchers above their lag controls; `uncontrolled`, of matchers that no pair
        of models holds against a lag control; `others`, of all other bands; `overall`: yes, no
        (no matcher gains above its control) or none (there is no such comparison); `figure`.
    """
    options = {band: band_options(config, band) for band in config["features"]}
    found = []
    for record in gains[gains["subject"] == subject].to_dict("records"):
        row = {str(key): value for key, value in record.items()}
        control = lag_control(options, config["models"][row["over"]], row["band"])
        found.append(Verdict(row, control, options[row["band"]].kind == TRUTH))
    matching = [v for v in found if options[v.row["band"]].copies_matches]
    verdicts = [v for v in matching if v.control]
    controlled = {v.row["band"] for v in verdicts}
    uncontrolled = [v for v in matching if v.row["band"] not in controlled]
    others = [v for v in found if v not in matching]
    shown = verdicts + uncontrolled or others
    return {
        "verdicts": verdicts,
        "uncontrolled": uncontrolled,
        "others": others,
        "shown": shown,
        "overall": _overall(verdicts),
        "figure": _figure(shown, gains, subject) if shown else None,
    }


def _overall(verdicts: Sequence[Verdict]) -> str:
    """Yes if some matcher that is not told the truth gains above its control."""
    honest = [v for v in verdicts if not v.told]
    if not honest:
        return "none"
    return "yes" if any(v.sign > 0 for v in honest) else "no"


def _figure(verdicts: Sequence[Verdict], gains: pd.DataFrame, subject: str) -> str:
    rows = []
    for v in verdicts:
        same = (gains["model"] == v.row["model"]) & (gains["over"] == v.row["over"])
        each = gains[same & ~gains["subject"].isin([MEAN, subject])]
        label = f"{v.row['band']} over {v.row['over']}"
        strong = bool(v.control) and not v.told
        values = (v.row["gain"], v.row["gain_lo"], v.row["gain_hi"])
        rows.append(Difference(label, *values, strong, each["gain"].tolist()))
    return forest(rows, "gain in out-of-fold r, mean of all voxels")
