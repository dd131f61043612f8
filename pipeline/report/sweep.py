"""Gains against the age of the newest BOLD that a prediction may use, from one run or several."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.config import band_options
from pipeline.matchers import is_matcher
from pipeline.report.figures import lines

LAG_OPTIONS = ("horizon", "min_lag")


@dataclass(frozen=True)
class Point:
    """A gain of a band at a horizon.

    Parameters
    ----------
    horizon : int
        TRs between a predicted row and the newest BOLD used.
    row : dict
        Row of gains.tsv.
    """

    horizon: int
    row: dict[str, Any]


def horizon_of(options: dict[str, Any]) -> int | None:
    """TRs between a predicted row and the newest BOLD row that a band uses; None, it uses none."""
    if options.get("horizon") is None:
        return None
    if options.get("min_lag") is None:
        return options["horizon"]
    newest = options["min_lag"] + min(options["delays"]) - max(options["offsets"])
    return max(options["horizon"], newest)


def sweep(runs: Sequence[tuple[dict[str, Any], pd.DataFrame]], subject: str) -> dict[str, Any]:
    """Gains of bands that were made with several horizons.

    Parameters
    ----------
    runs : sequence of (dict, DataFrame)
        Complete configuration and gains.tsv of each run.
    subject : str
        Whose rows are read.

    Returns
    -------
    dict
        `bands`: band to its points by horizon, of bands with at least two horizons (bands of the
        same kind and options but for the horizon count as one); `figures`: of matchers, whose gains
        are the small ones, and of other bands.
    """
    found: dict[str, dict[int, Point]] = {}
    names: dict[str, str] = {}
    matching: set[str] = set()
    for config, gains in runs:
        for row in gains[gains["subject"] == subject].to_dict("records"):
            options = band_options(config, row["band"])
            horizon = horizon_of(options)
            if horizon is None:
                continue
            same = {k: v for k, v in options.items() if k not in (*LAG_OPTIONS, "of")}
            key = json.dumps(same, sort_keys=True) if "of" not in options else row["band"]
            name = names.setdefault(key, row["band"])
            matching |= {name} if is_matcher(options) else set()
            clean = {str(k): v for k, v in row.items()}
            found.setdefault(name, {}).setdefault(horizon, Point(horizon, clean))
    several = {
        band: [points[h] for h in sorted(points)]
        for band, points in found.items()
        if len(points) > 1
    }
    return {"bands": several, "figures": _figures(several, matching)}


def _figures(bands: dict[str, list[Point]], matching: set[str]) -> list[str]:
    """One figure of the matchers and one of the others, each on its own scale."""
    matchers = {band: points for band, points in bands.items() if band in matching}
    others = {band: points for band, points in bands.items() if band not in matching}
    return [_figure(group) for group in (matchers, others) if group]


def _figure(bands: dict[str, list[Point]]) -> str:
    series = {
        band: [(p.horizon, p.row["gain"], p.row["gain_lo"], p.row["gain_hi"]) for p in points]
        for band, points in bands.items()
    }
    return lines(series, "newest BOLD used, TRs before the predicted one", "gain in out-of-fold r")
