"""Rule partition_table."""

from itertools import product

from job import snakemake, work
from pipeline.core.atomic import write_table
from pipeline.tables.partition import partition_table

with work(snakemake):
    keys = list(product(snakemake.params.subjects, snakemake.params.partitions))
    files = dict(zip(keys, snakemake.input.partitions, strict=True))
    full = dict(zip(keys, snakemake.input.fits, strict=True))
    write_table(partition_table(files, full), snakemake.output[0])
