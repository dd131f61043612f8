"""Rule matches."""

from job import snakemake, work
from pipeline.bands.compute import find_matches
from pipeline.bands.registry import BandOptions
from pipeline.dataset.dataset import Dataset

with work(snakemake):
    params = snakemake.params
    find_matches(
        Dataset.from_config(params.dataset),
        snakemake.input.words,
        stories=[*params.stories["train"], *params.stories["test"]],
        train=params.stories["train"],
        subject=snakemake.wildcards.subject,
        band=snakemake.wildcards.band,
        options=BandOptions.read(params.options),
        seed=params.seed,
        redrawn=snakemake.input.redrawn or None,
        output=snakemake.output[0],
    )
