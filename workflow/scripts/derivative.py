"""Rule derivative."""

from pathlib import Path

from job import snakemake, work
from pipeline.derivative.description import write_description

with work(snakemake):
    write_description(snakemake.config, Path(snakemake.output.description).parent)
