"""Rule ceiling."""

from pipeline.dataset.dataset import Dataset
from pipeline.stage import stage
from pipeline.statistics.files import write_ceiling

with stage(snakemake):
    params, subject = snakemake.params, snakemake.wildcards.subject
    write_ceiling(
        Dataset.from_config(params.dataset),
        subject,
        params.test,
        {"subject": subject},
        snakemake.output[0],
    )
