"""What the report is made from, read from a finished run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from pipeline.config.group_results import GroupResults
from pipeline.config.results import Results
from pipeline.finished.run import Run
from pipeline.report.shares import kept_variance
from pipeline.report.sweep import read_run
from pipeline.report.warnings import all_warnings
from pipeline.tables.familiarity import familiarity_warnings

Key = TypeVar("Key")


@dataclass(frozen=True)
class Contents:
    """What the report is made from: tables of a run, and files that are read for a figure.

    Parameters
    ----------
    provenance : dict
        `pipeline.core.provenance.describe`.
    summary, gains, timings : DataFrame
        summary.tsv, gains.tsv and timings.tsv.
    significance, ceiling : DataFrame
        significance.tsv and ceiling.tsv.
    regions : DataFrame or None
        regions.tsv, where there are regions.
    charts : dict of parcellation to path
        Charts of the regions.
    partition : DataFrame or None
        partition.tsv, where the configuration has partitions.
    sweep : sequence of (dict, DataFrame)
        Configurations and gains.tsv of the runs of `report.sweep`.
    shares : DataFrame or None
        shares.tsv.
    controls : mapping of name to DataFrame
        chunks.tsv, presentations.tsv and intersubject.tsv, those that were asked for.
    group, group_subjects : DataFrame or None
        group.tsv and group_subjects.tsv, of two subjects or more.
    group_maps : path or None
        The list of the maps over subjects, where these have places.
    kept : mapping of subject to float
        Share of the variance of BOLD that the components keep which are copied.
    tunings : dict of (subject, model) to path
        `sub-X_desc-M_tuning.json` of the models whose weights are kept.
    viewers : dict of subject to path
        Pages of pycortex's viewer, where it is asked for.
    fits : dict of (subject, model) to path
        HDF5 of the fits.
    maps, explorers : dict of subject to path
        `sub-X_maps.json` and `sub-X_explorer.json`.
    warnings : sequence of str
        What the validation let pass, and features that do not vary (`pipeline.report.warnings`).
    coverage : sequence of mappings
        How many words of each story the lexicons know (`pipeline.validation.coverage.Lookup`).
    contamination : DataFrame or None
        contamination.tsv.
    """

    provenance: dict[str, Any]
    summary: pd.DataFrame
    gains: pd.DataFrame
    timings: pd.DataFrame
    significance: pd.DataFrame
    ceiling: pd.DataFrame
    fits: dict[tuple[str, str], Path]
    maps: dict[str, Path]
    explorers: dict[str, Path]
    warnings: Sequence[str] = ()
    coverage: Sequence[Mapping[str, Any]] = ()
    contamination: pd.DataFrame | None = None
    regions: pd.DataFrame | None = None
    charts: Mapping[str, Path] = field(default_factory=dict)
    partition: pd.DataFrame | None = None
    sweep: Sequence[tuple[dict[str, Any], pd.DataFrame]] = ()
    tunings: Mapping[tuple[str, str], Path] = field(default_factory=dict)
    shares: pd.DataFrame | None = None
    controls: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    kept: Mapping[str, float] = field(default_factory=dict)
    viewers: Mapping[str, Path] = field(default_factory=dict)
    group: pd.DataFrame | None = None
    group_subjects: pd.DataFrame | None = None
    group_maps: Path | None = None

    @property
    def config(self) -> dict[str, Any]:
        """The complete configuration."""
        return self.provenance["config"]


def read_contents(run: Run, timings: pd.DataFrame) -> Contents:
    """Read what the report is made from.

    Parameters
    ----------
    run : Run
        A run of which all is made but the report.
    timings : DataFrame
        Time and memory of its jobs (`pipeline.report.timings.collect_timings`).

    Raises
    ------
    ProblemError
        If a run of `report.sweep` is missing or damaged.
    """
    files, over = run.files, GroupResults(run.files)
    keys, kept = product(run.subjects, run.models), product(run.subjects, files.kept_models())
    settings = files.of_run("settings.json")
    warnings = all_warnings(files.of_run("warnings.txt"), settings, files.bands())
    for place in Results(run.config).familiarity():  # as it was given, not where it lies
        warnings += familiarity_warnings(run.table("familiarity"), place)
    return Contents(
        provenance=run.provenance,
        summary=run.table("summary"),
        gains=run.table("gains"),
        timings=timings,
        significance=run.table("significance"),
        ceiling=run.table("ceiling"),
        fits=_paths(keys, files.fits()),
        maps=_paths(run.subjects if files.maps() else [], files.maps()),
        explorers=_paths(run.subjects, files.explorers()),
        warnings=warnings,
        coverage=json.loads(Path(settings).read_text(encoding="utf-8"))["coverage"],
        contamination=run.table("contamination"),
        regions=run.table("regions") if files.region_table() else None,
        charts=_paths(files.charted(), files.region_charts()),
        partition=run.table("partition") if files.partition_table() else None,
        shares=run.table("shares"),
        controls={name: run.table(name) for name in files.control_tables()},
        kept=kept_variance(dict(zip(run.subjects, files.used_bases(), strict=False))),
        tunings=_paths(kept, files.tunings()),
        viewers=_paths(run.subjects if files.viewers() else [], files.viewers()),
        group=run.table("group") if over.several else None,
        group_subjects=run.table("group_subjects") if over.several else None,
        group_maps=next(map(Path, over.maps()), None),
        sweep=[_other_run(run.folder.parent / name) for name in run.config["report"]["sweep"]],
    )


def _paths(keys: Iterable[Key], files: Sequence[str]) -> dict[Key, Path]:
    """The files by what they are of."""
    return dict(zip(keys, map(Path, files), strict=True))


def _other_run(folder: Path) -> tuple[dict[str, Any], pd.DataFrame]:
    """Configuration and gains of a run of the sweep."""
    return read_run(folder / "provenance.json", folder / "gains.tsv")
