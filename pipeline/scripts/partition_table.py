"""Rule partition_table."""

from itertools import product

from pipeline.partition import partition_table
from pipeline.stage import stage
from pipeline.summary import write_table

with stage(snakemake):
    keys = list(product(snakemake.params.subjects, snakemake.params.partitions))
    files = dict(zip(keys, snakemake.input.partitions, strict=True))
    full = dict(zip(keys, snakemake.input.fits, strict=True))
    write_table(partition_table(files, full), snakemake.output[0])
