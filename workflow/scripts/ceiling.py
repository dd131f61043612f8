"""Rule ceiling."""

from job import snakemake, work
from pipeline.dataset.dataset import Dataset
from pipeline.statistics.run import write_ceiling

with work(snakemake):
    params, subject = snakemake.params, snakemake.wildcards.subject
    write_ceiling(
        Dataset.from_config(params.dataset),
        subject,
        test=params.test,
        attributes={"subject": subject},
        output=snakemake.output[0],
    )
