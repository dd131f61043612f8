"""Rule response_features."""

from pipeline.bands.compute import response_features
from pipeline.stage import stage

with stage(snakemake):
    params = snakemake.params
    stories = [*params.stories["train"], *params.stories["test"]]
    response_features(snakemake.input[0], stories, params.options, snakemake.output[0])
