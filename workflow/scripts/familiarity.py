"""Rule familiarity."""

import logging

from job import snakemake, work
from pipeline.config.readings import readings
from pipeline.core.atomic import write_table
from pipeline.tables.familiarity import familiarity, familiarity_warnings

with work(snakemake):
    params, output = snakemake.params, snakemake.output[0]
    files = dict(zip(params.readings, snakemake.input, strict=True))
    table = familiarity(files, readings(snakemake.config), params.train)
    for warning in familiarity_warnings(table, output):
        logging.warning("%s", warning)
    write_table(table, output)
