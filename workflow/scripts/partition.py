"""Rule partition."""

from job import snakemake, work
from pipeline.config.partitions import subsets
from pipeline.dataset.dataset import Dataset
from pipeline.statistics.options import TestOptions
from pipeline.statistics.partition import write_partition

with work(snakemake):
    params, wildcards = snakemake.params, snakemake.wildcards
    write_partition(
        Dataset.from_config(params.dataset),
        wildcards.subject,
        fits=dict(zip(subsets(params.spaces), snakemake.input.fits, strict=True)),
        options=TestOptions.read(params.options),
        seed=params.seed,
        attributes={"subject": wildcards.subject, "partition": wildcards.partition},
        output=snakemake.output[0],
    )
