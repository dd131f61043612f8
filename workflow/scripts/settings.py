"""Rule settings: what bands and maps are made with, checked once more when it changes."""

import json
import logging

import pandas as pd

from job import snakemake, work
from pipeline.core.atomic import write_text
from pipeline.core.places import Places
from pipeline.validation.coverage import lookups
from pipeline.validation.manifest import describe_files, settings_files
from pipeline.validation.settings import check_settings
from pipeline.validation.validate import checked

with work(snakemake):
    config = snakemake.config
    with open(snakemake.input.manifest, encoding="utf-8") as file:
        dataset = json.load(file)
    words = pd.read_parquet(snakemake.input.words).groupby("story", sort=False)["word"]
    known = lookups(config, {str(story): list(own) for story, own in words}, built=True)
    warnings = checked(check_settings(config, dataset["n_rows"], dataset["n_voxels"], known))
    for warning in warnings:
        logging.warning("%s", warning)
    files = describe_files(config, settings_files(config))
    found = {
        "files": files,
        "warnings": Places(config).hide(list(map(str, warnings))),
        "coverage": [row for lookup in known for row in lookup.rows()],
    }
    write_text(snakemake.output[0], json.dumps(found, indent=1))
