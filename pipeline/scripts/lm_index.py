"""Rule lm_index."""

from pipeline.language_model import run_gim
from pipeline.stage import stage

with stage(snakemake):
    options = snakemake.params.options
    run_gim("index", options["train"], options, out=snakemake.output[0])
