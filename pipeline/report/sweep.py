"""Gains against the age of the newest BOLD that a prediction may use, from one run or several."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.bands.registry import BandOptions, band_options
from pipeline.core.errors import Problem, ProblemError, some
from pipeline.core.files import file_problem
from pipeline.readers.delimited import numbers, read_delimited
from pipeline.report.figures import lines

LAG_OPTIONS = ("horizon", "min_lag")
GAINS = ("gain", "gain_lo", "gain_hi")
_REMEDY = "run its configuration again, or take the run out of `report.sweep`"


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


def read_run(provenance: str | Path, gains: str | Path) -> tuple[dict[str, Any], pd.DataFrame]:
    """Configuration and gains of another run, which `report.sweep` names.

    Parameters
    ----------
    provenance, gains : path
        The run's provenance.json and gains.tsv.

    Returns
    -------
    config : dict
        Its complete configuration.
    table : DataFrame
        Columns `subject`, `band` and those of `GAINS`.

    Raises
    ------
    ProblemError
        If a file is missing or damaged, or they are not of one run.
    """
    config = _read_config(provenance)
    table = read_delimited(gains)
    wanted = ["subject", "band", *GAINS]
    if missing := [name for name in wanted if name not in table]:
        what = f"there is no column {some(map(repr, missing))}"
        raise ProblemError(Problem(gains, "line 1", what, _REMEDY))
    values = table[list(GAINS)].apply(numbers)
    if (values.isna() & table[list(GAINS)].notna()).any(axis=None):
        raise ProblemError(Problem(gains, some(GAINS), "some gains are no numbers", _REMEDY))
    for band in table["band"].unique():
        if band not in config["features"]:
            what = f"unknown band {band!r}: {provenance} is of another run"
            raise ProblemError(Problem(gains, "band", what, _REMEDY))
    return config, table[["subject", "band"]].join(values)


def _read_config(path: str | Path) -> dict[str, Any]:
    """The configuration in a provenance.json."""
    if problem := file_problem(path):
        raise ProblemError(problem)
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ProblemError(Problem(path, "", f"not JSON ({error})", _REMEDY)) from error
    config = found.get("config") if isinstance(found, dict) else None
    if not isinstance(config, dict) or not isinstance(config.get("features"), dict):
        raise ProblemError(Problem(path, "config", "there is no configuration of a run", _REMEDY))
    return config


def horizon_of(options: BandOptions) -> int | None:
    """TRs between a predicted row and the newest BOLD row that a band uses; None, it uses none."""
    horizon = options.own.get("horizon")
    if horizon is None or options.source != "matches" or options.matching.min_lag is None:
        return horizon
    matching = options.matching
    newest = options.matching.min_lag + min(matching.delays) - max(matching.offsets)
    return max(horizon, newest)


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
            same = {k: v for k, v in options.as_mapping().items() if k not in LAG_OPTIONS}
            key = json.dumps(same, sort_keys=True) if options.redraws is None else row["band"]
            name = names.setdefault(key, row["band"])
            matching |= {name} if options.copies_matches else set()
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
