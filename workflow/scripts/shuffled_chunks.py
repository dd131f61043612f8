"""Rule shuffled_chunks."""

from job import snakemake, work
from pipeline.controls.run import shuffled_chunks
from pipeline.core.atomic import write_table

with work(snakemake):
    write_table(shuffled_chunks(snakemake.config), snakemake.output[0])
