"""Rule match_features."""

from pipeline.bands.compute import match_features
from pipeline.stage import stage

with stage(snakemake):
    params = snakemake.params
    match_features(
        snakemake.input.matches,
        snakemake.input.basis,
        [*params.stories["train"], *params.stories["test"]],
        params.options,
        snakemake.output[0],
    )
