"""Rule presentations."""

from job import snakemake, work
from pipeline.controls.run import presentations
from pipeline.core.atomic import write_table

with work(snakemake):
    write_table(presentations(snakemake.config), snakemake.output[0])
