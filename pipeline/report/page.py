"""The page: reads a run's tables and renders them with the templates beside this file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
import yaml

from pipeline.report.answer import answer, shown_subject
from pipeline.report.figures import Difference, distributions, forest
from pipeline.report.fits import fit_facts, read_r
from pipeline.report.maps import map_pictures
from pipeline.report.numbers import FILTERS
from pipeline.summary import MEAN

HERE = Path(__file__).parent
STATIC = HERE / "static"


@dataclass(frozen=True)
class Run:
    """The files of a run that the report is made from.

    Parameters
    ----------
    provenance : dict
        `pipeline.provenance.describe`.
    summary, gains, timings : DataFrame
        summary.tsv, gains.tsv and timings.tsv.
    regions : DataFrame or None
        regions.tsv, where there are regions.
    fits : dict of (subject, model) to path
        HDF5 of the fits.
    maps, explorers : dict of subject to path
        `sub-X_maps.json` and `sub-X_explorer.json`.
    warnings : sequence of str
        What the validation let pass.
    """

    provenance: dict[str, Any]
    summary: pd.DataFrame
    gains: pd.DataFrame
    timings: pd.DataFrame
    regions: pd.DataFrame | None
    fits: dict[tuple[str, str], Path]
    maps: dict[str, Path]
    explorers: dict[str, Path]
    warnings: Sequence[str] = field(default_factory=list)

    @property
    def config(self) -> dict[str, Any]:
        """The complete configuration."""
        return self.provenance["config"]


def render(run: Run) -> str:
    """Render the report as HTML."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    config, subjects = run.config, list(run.config["subjects"])
    maps = {subject: map_pictures(path) for subject, path in run.maps.items()}
    return environment.get_template("report.html.j2").render(
        config=config,
        name=config["name"],
        baseline=config["baseline"],
        subjects=subjects,
        answer=answer(config, run.gains, shown_subject(run.summary)),
        models=_models(run),
        maps=maps,
        regions=None if run.regions is None else _by_region(run.regions),
        distributions={s: distributions(read_r(run.fits, s), config["baseline"]) for s in subjects},
        explorers={s: path.read_text(encoding="utf-8") for s, path in run.explorers.items()},
        fits=[fit_facts(path) for path in run.fits.values()],
        warnings=run.warnings,
        timings=run.timings.to_dict("records"),
        provenance=run.provenance,
        settings=yaml.safe_dump(config, sort_keys=False, allow_unicode=True),
        absent=_absent(run, maps),
        style=_static("css"),
        scripts=_static("js"),
    )


def _models(run: Run) -> dict[str, Any]:
    """Table and figure of all models."""
    table, baseline = run.summary, run.config["baseline"]
    subject = shown_subject(table)
    rows = table if subject == MEAN else table[table["subject"] == subject]
    shown = rows[(rows["subject"] == subject) & (rows["model"] != baseline)]
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


def _by_region(regions: pd.DataFrame) -> dict[str, Any]:
    """One record for each subject and model, with the mean r of each region."""
    wide = regions.pivot_table("r_mean", index=["subject", "model"], columns="region")
    order = regions[["subject", "model"]].drop_duplicates()
    wide = wide.loc[list(order.itertuples(index=False, name=None))]
    top = float(wide.to_numpy().max())
    return {
        "names": [str(name) for name in wide.columns],
        "rows": [
            {str(k): v for k, v in row.items()} for row in wide.reset_index().to_dict("records")
        ],
        "top": top,
    }


def _absent(run: Run, maps: dict[str, Any]) -> list[tuple[str, str]]:
    """Sections that this run has no numbers for, and why."""
    absent = []
    if not any(found["pictures"] for found in maps.values()):
        why = "the configuration names no mask, so that voxels have no place in a volume"
        absent.append(("Maps", why if run.config["mask"] is None else "no map could be drawn"))
    if run.regions is None:
        absent.append(("Regions", "the configuration names none, and the data are not simulated"))
    return absent


def _static(ending: str) -> str:
    """All files of a kind, in the order of their names."""
    return "\n".join(p.read_text(encoding="utf-8") for p in sorted(STATIC.glob(f"*.{ending}")))
