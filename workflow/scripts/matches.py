"""Rule matches."""

from job import snakemake, work
from pipeline.bands.compute import find_matches
from pipeline.bands.options import BandOptions
from pipeline.dataset.dataset import Dataset

with work(snakemake):
    params = snakemake.params
    find_matches(
        Dataset.from_config(params.dataset),
        snakemake.input.words,
        [*params.stories["train"], *params.stories["test"]],
        params.stories["train"],
        snakemake.wildcards.subject,
        snakemake.wildcards.band,
        BandOptions.read(params.options),
        params.seed,
        snakemake.input.redrawn or None,
        snakemake.output[0],
    )
