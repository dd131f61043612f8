"""Rule contexts."""

from job import snakemake, work
from pipeline.bands.registry import BandOptions
from pipeline.core.places import Places
from pipeline.dataset.dataset import Dataset
from pipeline.recall.contexts import write_contexts

with work(snakemake):
    params = snakemake.params
    write_contexts(
        Dataset.from_config(params.dataset),
        snakemake.input.words,
        stories=params.stories,
        options=BandOptions.read(params.options),
        seed=params.seed,
        output=snakemake.output[0],
        places=Places(snakemake.config),
    )
