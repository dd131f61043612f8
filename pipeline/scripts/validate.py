"""Rule validate."""

import json
import logging

from pipeline.atomic import write_text
from pipeline.stage import stage
from pipeline.validate import count_volumes, manifest, validate

with stage(snakemake):
    config = snakemake.params.config
    warnings = validate(config)
    for warning in warnings:
        logging.warning("%s", warning)
    write_text(snakemake.output.warnings, "".join(f"{warning}\n" for warning in warnings))
    for path in snakemake.output.volumes:  # none, if the dataset has a file of them
        write_text(path, json.dumps(count_volumes(config), indent=1))
    write_text(snakemake.output.manifest, json.dumps(manifest(config), indent=1))
