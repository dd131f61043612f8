"""Checks of the language models that bands read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gim.files import SHIPPED
from pipeline.bands.registry import band_options
from pipeline.core.errors import Findings

MARKS = {"encoder": "model.safetensors", "index": "gim.json"}  # a file that each of them has
REMEDIES = {
    "encoder": "train one with `gim distill`, or correct the path",
    "index": "build one with `gim index`, or correct the path",
}


def model_files(config: dict[str, Any]) -> dict[tuple[str, str], Path]:
    """The mark of each encoder and index that a band reads, by band and option.

    What a rule of the run makes is left out.
    """
    files = {}
    for band in config["features"]:
        options = band_options(config, band).own
        for key in MARKS.keys() & options.keys():
            if options[key] is None and key != "encoder":
                continue  # only encoders are shipped
            folder = Path(options[key] or SHIPPED)
            if not folder.is_relative_to(f"results/{config['name']}"):
                files[band, key] = folder / MARKS[key]
    return files


def check_models(files: Mapping[tuple[str, str], Path]) -> Findings:
    """Check that every encoder and index (`model_files`) is there."""
    findings = Findings()
    for (band, key), path in files.items():
        if not path.is_file():
            what = f"there is no {key} here"
            findings.problem(path.parent, f"features.{band}.{key}", what, REMEDIES[key])
    return findings
