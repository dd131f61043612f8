"""Rule matches."""

from pipeline.bands.compute import find_matches
from pipeline.dataset.dataset import Dataset
from pipeline.stage import stage

with stage(snakemake):
    params = snakemake.params
    find_matches(
        Dataset.from_config(params.dataset),
        snakemake.input.words,
        [*params.stories["train"], *params.stories["test"]],
        params.stories["train"],
        snakemake.wildcards.subject,
        snakemake.wildcards.band,
        params.options,
        params.seed,
        snakemake.input.redrawn or None,
        snakemake.output[0],
    )
