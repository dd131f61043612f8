"""Rule validate: everything is checked, so that all problems are told at once."""

import json
import logging

from job import snakemake, work
from pipeline.core.atomic import write_text
from pipeline.validation.dataset import check_dataset
from pipeline.validation.manifest import manifest
from pipeline.validation.settings import check_settings
from pipeline.validation.validate import checked
from pipeline.validation.volumes import count_volumes

with work(snakemake):
    config = snakemake.config
    dataset, n_rows, n_voxels = check_dataset(config)
    for warning in checked(dataset, check_settings(config, n_rows, n_voxels)):
        logging.warning("%s", warning)
    write_text(snakemake.output.warnings, "".join(f"{w}\n" for w in checked(dataset)))
    for path in snakemake.output.volumes:  # none, if the dataset has a file of them
        write_text(path, json.dumps(count_volumes(config), indent=1))
    write_text(snakemake.output.manifest, json.dumps(manifest(config), indent=1))
