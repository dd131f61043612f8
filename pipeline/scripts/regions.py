"""Rule regions."""

from itertools import product
from pathlib import Path

from pipeline.regions import summarise_regions
from pipeline.stage import stage
from pipeline.summary import write_table

with stage(snakemake):
    params = snakemake.params
    keys = product(params.subjects, params.models)
    fits = dict(zip(keys, snakemake.input.fits, strict=True))
    table = summarise_regions(fits, Path(snakemake.input.truth).parent, params.baseline)
    write_table(table, snakemake.output[0])
