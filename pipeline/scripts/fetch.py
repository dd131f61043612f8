"""Rule fetch."""

from pipeline.fetch import fetch
from pipeline.stage import stage

with stage(snakemake):
    config = snakemake.params.config
    fetch(config, config["fetch"]["jobs"])
