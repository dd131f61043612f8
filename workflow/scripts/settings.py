"""Rule settings: what bands and maps are made with, checked once more when it changes."""

import json
import logging

import pandas as pd

from job import snakemake, work
from pipeline.core.atomic import write_table, write_text
from pipeline.core.places import Places
from pipeline.validation.contamination import contamination
from pipeline.validation.coverage import lookups
from pipeline.validation.manifest import describe_files, settings_files
from pipeline.validation.settings import check_settings
from pipeline.validation.validate import checked

with work(snakemake):
    config = snakemake.config
    with open(snakemake.input.manifest, encoding="utf-8") as file:
        dataset = json.load(file)
    table = pd.read_parquet(snakemake.input.words).groupby("story", sort=False)["word"]
    words = {str(story): list(own) for story, own in table}
    known, texts = lookups(config, words, built=True), contamination(config, words)
    n_rows, n_voxels = dataset["n_rows"], dataset["n_voxels"]
    warnings = checked(check_settings(config, n_rows, n_voxels, known=known, texts=texts))
    for warning in warnings:
        logging.warning("%s", warning)
    hide = Places(config).hide
    sources = hide(texts.table["source"].tolist())
    write_table(texts.table.assign(source=sources), snakemake.output.contamination)
    files = describe_files(config, settings_files(config))
    found = {
        "files": files,
        "warnings": hide(list(map(str, warnings))),
        "coverage": [row for lookup in known for row in lookup.rows()],
    }
    write_text(snakemake.output.settings, json.dumps(found, indent=1))
