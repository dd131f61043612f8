"""Rule fetch."""

from job import snakemake, work
from pipeline.fetch.fetch import fetch

with work(snakemake):
    config = snakemake.params.config
    fetch(config, config["fetch"]["jobs"])
