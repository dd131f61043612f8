"""Rule match_features."""

from job import snakemake, work
from pipeline.bands.compute import match_features
from pipeline.bands.registry import BandOptions

with work(snakemake):
    params = snakemake.params
    match_features(
        snakemake.input.matches,
        snakemake.input.basis,
        stories=[*params.stories["train"], *params.stories["test"]],
        options=BandOptions.read(params.options),
        output=snakemake.output[0],
    )
