"""Rule states."""

from job import snakemake, work
from pipeline.core.places import Places
from pipeline.dataset.dataset import Dataset
from pipeline.states.compute import write_states
from pipeline.states.reading import Reading

with work(snakemake):
    params = snakemake.params
    write_states(
        Dataset.from_config(params.dataset),
        snakemake.input.words,
        stories=params.stories,
        reading=Reading(**params.reading),
        layers=params.layers,
        pools=params.pools,
        output=snakemake.output[0],
        places=Places(snakemake.config),
    )
