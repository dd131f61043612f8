"""Rule response_features."""

from job import snakemake, work
from pipeline.bands.compute import response_features
from pipeline.bands.registry import BandOptions

with work(snakemake):
    params = snakemake.params
    stories = [*params.stories["train"], *params.stories["test"]]
    response_features(
        snakemake.input[0],
        stories=stories,
        options=BandOptions.read(params.options),
        output=snakemake.output[0],
    )
