"""Rule validate: everything is checked, so that all problems are told at once."""

import json
import logging

from job import snakemake, work
from pipeline.core.atomic import write_text
from pipeline.core.places import Places
from pipeline.dataset.dataset import Dataset
from pipeline.validation.contamination import contamination
from pipeline.validation.coverage import lookups
from pipeline.validation.dataset import check_dataset
from pipeline.validation.manifest import manifest
from pipeline.validation.records import all_heard
from pipeline.validation.settings import check_settings
from pipeline.validation.validate import checked
from pipeline.validation.volumes import count_volumes

with work(snakemake):
    config = snakemake.config
    dataset = check_dataset(config)
    known = lookups(config, dataset.words, built=False)
    texts = contamination(config, dataset.words)
    settings = check_settings(config, dataset.n_rows, dataset.n_voxels, known=known, texts=texts)
    for warning in checked(dataset.findings, settings):
        logging.warning("%s", warning)
    warnings = map(Places(config).hide, map(str, checked(dataset.findings)))
    write_text(snakemake.output.warnings, "".join(f"{warning}\n" for warning in warnings))
    for path in snakemake.output.volumes:  # none, if the dataset has a file of them
        counts = count_volumes(Dataset.from_config(config), all_heard(config))
        write_text(path, json.dumps(counts, indent=1))
    described = manifest(config, dataset.dropped_voxels)
    write_text(snakemake.output.manifest, json.dumps(described, indent=1))
