"""dataset_description.json, README.md, descriptions.tsv and .bidsignore of a run's folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from gim.provenance import PACKAGE, versions
from pipeline.bands.registry import band_options
from pipeline.config.partitions import all_models
from pipeline.core.atomic import write_table, write_text
from pipeline.core.places import Places
from pipeline.derivative.ignored import patterns

BIDS_VERSION = "1.11.1"  # of which the names are; it is the first with descriptions.tsv
FILES = ("dataset_description.json", "README.md", "descriptions.tsv", "descriptions.json")
IGNORED = ".bidsignore"
IGNORED_SAYS = "# What BIDS has no names for. Whatever else lies here is not of this run."
COLUMNS = {
    "desc_id": "Label of a model, a band or a partition of the run, as in the names of files.",
    "description": "What it is.",
}
README = """# {name}

Encoding models of the brain, made by {package} {version} (a Snakemake workflow).

Read `report.html` first. `summary.tsv` has a row a subject and model, `sub-X/` the fits, maps and
matches of subject X. What `desc-` stands for in the names of files is in `descriptions.tsv`; what
every file and column is, in the manual of {package}, "What a run writes".

`provenance.json` says what the run was made with, `manifest.json` of which input.
"""


def write_description(config: Mapping[str, Any], folder: Path) -> None:
    """Write all that makes the folder of a run a BIDS derivative.

    Parameters
    ----------
    config : mapping
        The complete configuration.
    folder : Path
        `results/NAME`.
    """
    hide, version = Places(config).hide, versions([PACKAGE])[PACKAGE]
    described, readme, table, columns = (folder / name for name in FILES)
    write_text(described, _json(hide(dataset_description(config, version))))
    write_text(readme, README.format(name=config["name"], package=PACKAGE, version=version))
    rows = [{"desc_id": f"desc-{key}", "description": said} for key, said in _labels(config)]
    joined = pd.DataFrame(rows).groupby("desc_id", sort=False)["description"].agg("; ".join)
    write_table(joined.reset_index(), table)
    says = {name: {"Description": said} for name, said in COLUMNS.items()}
    write_text(columns, _json({"Description": "Labels in the names of files."} | says))
    write_text(folder / IGNORED, "\n".join([IGNORED_SAYS, *patterns()]) + "\n")


def dataset_description(config: Mapping[str, Any], version: str) -> dict[str, Any]:
    """What BIDS wants to know of a derivative.

    Parameters
    ----------
    config : mapping
        The complete configuration.
    version : str
        Of this package.
    """
    described: dict[str, Any] = {
        "Name": f"{config['name']}: encoding models",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [
            {
                "Name": PACKAGE,
                "Version": version,
                "Description": "Banded ridge encoding models of story listening",
            }
        ],
    }
    if source := _source(config):
        described["SourceDatasets"] = [source]
    if config["authors"]:
        described["Authors"] = list(config["authors"])
    if config["citation"]:
        described["ReferencesAndLinks"] = list(config["citation"])
    return described


def _source(config: Mapping[str, Any]) -> dict[str, str]:
    """Where the dataset comes from, by address and DOI; nothing of one that is known by neither."""
    source = {"URL": config["fetch"]["pointers"]} if config["fetch"] else {}
    own = Path(config["data_root"]) / FILES[0]
    if config["simulate"] is None and own.is_file():
        try:
            said = json.loads(own.read_text(encoding="utf-8-sig"))
        except ValueError:
            return source
        if isinstance(said, dict) and isinstance(said.get("DatasetDOI"), str):
            source["DOI"] = said["DatasetDOI"].removeprefix("doi:")
    return source


def _labels(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Labels that stand after `desc-` in names of files, and what they are of."""
    for model, bands in all_models(dict(config)).items():
        yield model, f"model of the bands {' + '.join(bands)}"
    for band in config["features"]:
        options = band_options(dict(config), band)
        if options.source in ("matches", "memory"):
            yield band, f"matches of the band {band}, of kind {options.kind}"
    for partition, spaces in config["partitions"].items():
        yield partition, f"partition of R2 among the spaces {', '.join(spaces)}"


def _json(said: Mapping[str, Any]) -> str:
    return json.dumps(said, indent=1, ensure_ascii=False) + "\n"
