"""Rule statistics_tables."""

from itertools import product

from job import snakemake, work
from pipeline.core.atomic import write_table
from pipeline.tables.significance import ceiling_table, significance_table

with work(snakemake):
    params, files = snakemake.params, snakemake.input
    keys = list(product(params.subjects, params.models))
    statistics = dict(zip(keys, files.statistics, strict=True))
    fits = dict(zip(keys, files.fits, strict=True))
    ceilings = dict(zip(params.subjects, files.ceilings, strict=True))
    write_table(significance_table(statistics), snakemake.output.significance)
    write_table(ceiling_table(statistics, fits, ceilings), snakemake.output.ceiling)
