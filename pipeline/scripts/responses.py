"""Rule responses."""

from pipeline.dataset.prepare import prepare
from pipeline.stage import stage

with stage(snakemake):
    prepare(snakemake.params.config, *snakemake.wildcards, snakemake.output[0])
