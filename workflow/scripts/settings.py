"""Rule settings: what bands and maps are made with, checked once more when it changes."""

import json
import logging

from job import snakemake, work
from pipeline.core.atomic import write_text
from pipeline.validation.manifest import describe_files, settings_files
from pipeline.validation.settings import check_settings
from pipeline.validation.validate import checked

with work(snakemake):
    config = snakemake.config
    with open(snakemake.input.manifest, encoding="utf-8") as file:
        dataset = json.load(file)
    warnings = checked(check_settings(config, dataset["n_rows"], dataset["n_voxels"]))
    for warning in warnings:
        logging.warning("%s", warning)
    files = describe_files(config, settings_files(config))
    found = {"files": files, "warnings": list(map(str, warnings))}
    write_text(snakemake.output[0], json.dumps(found, indent=1))
