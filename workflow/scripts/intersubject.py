"""Rule intersubject."""

from job import snakemake, work
from pipeline.controls.run import intersubject
from pipeline.core.atomic import write_table

with work(snakemake):
    write_table(intersubject(snakemake.config), snakemake.output[0])
