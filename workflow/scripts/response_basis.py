"""Rule response_basis."""

from job import snakemake, work
from pipeline.dataset.basis import response_basis
from pipeline.dataset.dataset import Dataset

with work(snakemake):
    params = snakemake.params
    response_basis(
        Dataset.from_config(params.dataset),
        snakemake.wildcards.subject,
        params.stories["train"],
        params.stories["test"],
        params.n_components,
        snakemake.output[0],
    )
