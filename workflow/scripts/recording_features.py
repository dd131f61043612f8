"""Rule recording_features."""

from job import snakemake, work
from pipeline.bands.compute import recording_features
from pipeline.bands.registry import BandOptions
from pipeline.dataset.dataset import Dataset

with work(snakemake):
    params = snakemake.params
    recording_features(
        Dataset.from_config(params.dataset),
        snakemake.wildcards.subject,
        stories=[*params.stories["train"], *params.stories["test"]],
        options=BandOptions.read(params.options),
        output=snakemake.output[0],
    )
