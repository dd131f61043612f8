"""The page: what the report is made from, rendered with the templates beside this file."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jinja2
import yaml

from pipeline.bands.registry import band_options
from pipeline.config.stories import units
from pipeline.core.series import FEWEST_FOR_TOP
from pipeline.dataset.dataset import MEAN
from pipeline.fit.file import FitFile
from pipeline.report.answer import answer, shown_subject
from pipeline.report.citation import cited_works
from pipeline.report.contents import Contents
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

STATIC = files("pipeline.report") / "static"


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


def render(run: Contents) -> str:
    """Render the report as HTML."""
    config, subjects = run.config, list(run.config["subjects"])
    style, scripts = _static("css"), _static("js")
    maps = {subject: map_pictures(path) for subject, path in run.maps.items()}
    found_ceilings = ceilings(run.ceiling)
    swept = sweep([(config, run.gains), *run.sweep], shown_subject(run.summary))
    answered = answer(config, run.gains, shown_subject(run.summary))
    partition = partition_rows(run.partition)
    shown = _distributions(run)
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
            distributions=shown,
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
            absent=_absent(run, maps, found_ceilings, swept, shown),
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


def _distributions(run: Contents) -> dict[str, str]:
    """Figures of the distribution of r over voxels, of subjects with enough for a best tenth."""
    baseline, found = run.config["baseline"], {}
    for subject in run.config["subjects"]:
        if FitFile(run.fits[subject, baseline]).n_voxels() >= FEWEST_FOR_TOP:
            found[subject] = distributions(read_r(run.fits, subject), baseline)
    return found


def _models(run: Contents) -> dict[str, Any]:
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
    has_top = bool(rows["r_top10_cv"].notna().any())
    of = "its best 10 % of voxels" if has_top else "all voxels"
    label = f"difference in out-of-fold r to {baseline}, {of}"
    return {
        "rows": rows.to_dict("records"),
        "figure": forest(differences, label) if differences else None,
        "gains": run.gains[run.gains["subject"] == subject].to_dict("records"),
        "subject": subject,
        "has_top": has_top,
    }


def _absent(
    run: Contents,
    maps: dict[str, Any],
    found_ceilings: dict[str, Any],
    swept: dict[str, Any],
    shown: dict[str, str],
) -> list[tuple[str, str]]:
    """Sections that this run has no numbers for, and why."""
    absent = []
    if not shown:
        why = f"of fewer than {FEWEST_FOR_TOP} voxels or regions they say little"
        absent.append(("Best 10 %, distributions", why))
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
