"""The page: reads a run's tables and renders them with the templates beside this file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
import yaml

from pipeline.bands.registry import band_options
from pipeline.config.stories import units
from pipeline.report.answer import answer, shown_subject
from pipeline.report.citation import cited_works
from pipeline.report.figures import Difference, distributions, forest
from pipeline.report.fits import edges, fit_facts, read_r
from pipeline.report.group import over_subjects
from pipeline.report.maps import map_pictures
from pipeline.report.numbers import FILTERS
from pipeline.report.opening import opening
from pipeline.report.policy import policy
from pipeline.report.regions import parcellations
from pipeline.report.shares import shared_out
from pipeline.report.significance import (
    ceilings,
    fewest_voxels,
    has_untested,
    partition_rows,
    significance_rows,
)
from pipeline.report.sweep import sweep
from pipeline.report.tuning import tuned_models
from pipeline.tables.contamination import by_source
from pipeline.tables.summary import MEAN

STATIC = files("pipeline.report") / "static"


@dataclass(frozen=True)
class Run:
    """The files of a run that the report is made from.

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


def templates() -> jinja2.Environment:
    """The report's templates, with its filters of numbers."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pipeline.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    return environment


def render(run: Run) -> str:
    """Render the report as HTML."""
    config, subjects = run.config, list(run.config["subjects"])
    style, scripts = _static("css"), _static("js")
    maps = {subject: map_pictures(path) for subject, path in run.maps.items()}
    found_ceilings = ceilings(run.ceiling)
    swept = sweep([(config, run.gains), *run.sweep], shown_subject(run.summary))
    answered = answer(config, run.gains, shown_subject(run.summary))
    partition = partition_rows(run.partition)
    fits = [fit_facts(path) for path in run.fits.values()]
    explorers = {s: path.read_text(encoding="utf-8") for s, path in run.explorers.items()}
    return (
        templates()
        .get_template("report.html.j2")
        .render(
            config=config,
            name=config["name"],
            baseline=config["baseline"],
            subjects=subjects,
            answer=answered,
            models=_models(run),
            maps=maps,
            viewers={s: "/".join(path.parts[-3:]) for s, path in run.viewers.items()},
            regions=[] if run.regions is None else parcellations(run.regions, run.charts),
            group=over_subjects(run.group, run.group_subjects, run.group_maps, config["models"]),
            tuned=tuned_models(run.tunings),
            significance=significance_rows(run.significance, config["baseline"]),
            fewest_voxels=fewest_voxels,
            ceilings=found_ceilings,
            partition=partition,
            shares=shared_out(run.shares, config["models"]),
            controls={name: table.to_dict("records") for name, table in run.controls.items()},
            kept=run.kept,
            has_untested=has_untested(run.significance, partition),
            sweep=swept,
            distributions={
                s: distributions(read_r(run.fits, s), config["baseline"]) for s in subjects
            },
            explorers=explorers,
            explored_first=_explored_first(config, explorers[subjects[0]], answered),
            fits=fits,
            edges=edges(fits),
            warnings=run.warnings,
            coverage=run.coverage,
            texts=[] if run.contamination is None else by_source(run.contamination),
            timings=run.timings.to_dict("records"),
            provenance=run.provenance,
            works=cited_works(),
            units=units(config),
            settings=yaml.safe_dump(config, sort_keys=False, allow_unicode=True),
            absent=_absent(run, maps, found_ceilings, swept),
            style=style,
            scripts=scripts,
            policy=policy(style, scripts),
        )
    )


def _explored_first(config: dict[str, Any], explorer: str, answered: dict[str, Any]) -> str:
    """The model that the match explorer opens on, the same for all subjects."""
    explored = {m: facts["band"] for m, facts in json.loads(explorer)["models"].items()}
    kinds = {band: band_options(config, band).kind for band in config["features"]}
    return opening(explored, kinds, answered["verdicts"])


def _models(run: Run) -> dict[str, Any]:
    """Table and figure of all models."""
    table, baseline = run.summary, run.config["baseline"]
    subject = shown_subject(table)
    rows = table if subject == MEAN else table[table["subject"] == subject]
    bands = {model: set(names) for model, names in run.config["models"].items()}
    extending = [model for model, names in bands.items() if names > bands[baseline]]
    shown = rows[(rows["subject"] == subject) & rows["model"].isin(extending)]
    each = table[~table["subject"].isin([MEAN, subject])]
    differences = [
        Difference(
            row["model"], row["delta_eng1000"], row["delta_lo"], row["delta_hi"], True,
            each.loc[each["model"] == row["model"], "delta_eng1000"].tolist(),
        )
        for _, row in shown.iterrows()
    ]  # fmt: skip
    label = f"difference in out-of-fold r to {baseline}, its best 10 % of voxels"
    return {
        "rows": rows.to_dict("records"),
        "figure": forest(differences, label) if differences else None,
        "gains": run.gains[run.gains["subject"] == subject].to_dict("records"),
        "subject": subject,
    }


def _absent(
    run: Run, maps: dict[str, Any], found_ceilings: dict[str, Any], swept: dict[str, Any]
) -> list[tuple[str, str]]:
    """Sections that this run has no numbers for, and why."""
    absent = []
    if not any(found["pictures"] for found in maps.values()):
        why = "the configuration names no mask, so that voxels have no place in a volume"
        absent.append(("Maps", why if run.config["mask"] is None else "no figure was asked for"))
    if run.regions is None:
        absent.append(("Regions", "the configuration names none, and the data are not simulated"))
    for subjects, reason in found_ceilings["reasons"]:
        absent.append(("Noise ceiling", f"{subjects}: {reason}"))
    if run.partition is None:
        absent.append(("Variance partitioning", "the configuration names no partitions"))
    if not swept["bands"]:
        absent.append(
            ("Horizons", "no band was made with two; other runs are named in report.sweep")
        )
    return absent


def _static(ending: str) -> str:
    """All files of a kind, in the order of their names."""
    names = sorted(p.name for p in STATIC.iterdir() if p.name.endswith(f".{ending}"))
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)
