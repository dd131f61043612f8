"""Rule response_basis."""

from job import snakemake, work
from pipeline.dataset.basis import response_basis
from pipeline.dataset.dataset import Dataset

with work(snakemake):
    params = snakemake.params
    response_basis(
        Dataset.from_config(params.dataset),
        snakemake.wildcards.subject,
        train=params.stories["train"],
        test=params.stories["test"],
        n_components=params.n_components,
        output=snakemake.output[0],
    )
