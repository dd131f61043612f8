"""Rule stimulus_features."""

from job import snakemake, work
from pipeline.bands.compute import stimulus_features
from pipeline.bands.registry import BandOptions
from pipeline.core.places import Places
from pipeline.dataset.dataset import Dataset

with work(snakemake):
    params = snakemake.params
    stimulus_features(
        Dataset.from_config(params.dataset),
        snakemake.input.words,
        stories=params.stories,
        options=BandOptions.read(params.options),
        output=snakemake.output[0],
        places=Places(snakemake.config),
    )
