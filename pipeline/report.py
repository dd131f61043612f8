"""The report of a run: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import jinja2
import pandas as pd
import yaml

TEMPLATES = Path(__file__).parent / "templates"
FIGURES = {  # those shown in the report; slices and views are files beside it
    "surface": "Cortical surface (fsaverage5)",
    "glass": "Glass brain",
    "histograms": "Test correlation over voxels",
}


def collect_timings(
    folder: str | Path, subjects: Sequence[str], models: Sequence[str]
) -> pd.DataFrame:
    """Seconds and peak memory of every job that Snakemake timed.

    Parameters
    ----------
    folder : path
        Benchmark files: RULE.tsv or RULE/LABEL.tsv, where LABEL may start with a subject.
    subjects, models : sequences of str
        Names to recognise in the labels.

    Returns
    -------
    DataFrame
        Columns rule, subject, model (band, for features), seconds, peak_mb.
    """
    rows = []
    for path in sorted(Path(folder).rglob("*.tsv")):
        timing = pd.read_csv(path, sep="\t", na_values="-").iloc[0]
        rule, *label = path.relative_to(folder).with_suffix("").parts
        subject, _, rest = label[0].partition("_") if label else ("", "", "")
        if subject not in subjects:
            subject, rest = "", label[0] if label else ""
        rows.append(
            {
                "rule": rule,
                "subject": subject or "n/a",
                "model": rest or "n/a",
                "seconds": timing["s"],
                "peak_mb": timing["max_rss"],
            }
        )
    return pd.DataFrame(rows, columns=["rule", "subject", "model", "seconds", "peak_mb"])


def render(
    summary: pd.DataFrame,
    regions: pd.DataFrame | None,
    timings: pd.DataFrame,
    maps: Mapping[str, str | Path],
    fits: Sequence[str | Path],
    warnings: str | Path,
    provenance: dict[str, Any],
) -> str:
    """Render the report.

    Parameters
    ----------
    summary : DataFrame
        `pipeline.summary.summarise`.
    regions : DataFrame or None
        `pipeline.regions.summarise_regions`; the first parcellation is shown.
    timings : DataFrame
        `collect_timings`.
    maps : dict of subject to path
        JSON that lists a subject's figures, which lie beside it.
    fits : sequence of path
        HDF5 files of the fits.
    warnings : path
        Warnings of the validation, one a line.
    provenance : dict
        `pipeline.provenance.describe`.

    Returns
    -------
    str
        HTML.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["r"] = lambda value: f"{value:.3f}"
    return environment.get_template("report.html.j2").render(
        name=provenance["config"]["name"],
        baseline=provenance["config"]["baseline"],
        summary=summary.to_dict("records"),
        regions=None if regions is None else _by_region(regions),
        subjects={subject: _figures(path) for subject, path in maps.items()},
        fits=[_fit_facts(path) for path in fits],
        warnings=Path(warnings).read_text(encoding="utf-8").splitlines(),
        timings=timings.to_dict("records"),
        config=yaml.safe_dump(provenance["config"], sort_keys=False),
        versions=provenance["versions"],
        commit=provenance["commit"],
        inputs=provenance["inputs_sha256"],
    )


def _by_region(regions: pd.DataFrame) -> list[dict[str, Any]]:
    """One record for each subject and model, with the mean r of each region."""
    first = regions["parcellation"] == regions["parcellation"].iloc[0]
    regions = regions[first & (regions["subject"] != "mean")]
    wide = regions.pivot_table("r_mean", index=["subject", "model"], columns="region")
    order = regions[["subject", "model"]].drop_duplicates()
    wide = wide.loc[list(order.itertuples(index=False, name=None))]
    return [{str(k): v for k, v in row.items()} for row in wide.reset_index().to_dict("records")]


def _figures(listing: str | Path) -> dict[str, Any]:
    """A subject's figures by kind and model, as data URLs, and its interactive views."""
    listing = Path(listing)
    files = json.loads(listing.read_text())["files"]
    figures: dict[str, dict[str, str]] = {}
    for kind, title in FIGURES.items():
        for name in (f for f in files if f.endswith(f"_{kind}.png")):
            data = base64.b64encode((listing.parent / name).read_bytes()).decode()
            label = name.removesuffix(f"_{kind}.png").split("_", 1)[1].replace("_", ", ")
            figures.setdefault(title, {})[label] = f"data:image/png;base64,{data}"
    views = [f"{listing.parent.name}/{name}" for name in files if name.endswith(".html")]
    return {"figures": figures, "views": views, "has_maps": any("glass" in f for f in files)}


def _fit_facts(path: str | Path) -> dict[str, Any]:
    with h5py.File(path) as file:
        wanted = ("subject", "model", "solver", "alpha_at_min", "alpha_at_max")
        return {key: file.attrs[key] for key in wanted}
