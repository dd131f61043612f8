"""Rule steps."""

from job import snakemake, work
from pipeline.core.atomic import write_text

with work(snakemake):
    write_text(snakemake.output[0], f"{snakemake.params.state}\n")
