"""Rule model_statistics."""

from pipeline.dataset import Dataset
from pipeline.stage import stage
from pipeline.statistics import write_statistics

with stage(snakemake):
    params, wildcards = snakemake.params, snakemake.wildcards
    write_statistics(
        Dataset.from_config(params.dataset),
        wildcards.subject,
        snakemake.input.fit,
        dict(zip(params.references, snakemake.input.references, strict=True)),
        params.options,
        params.seed,
        {
            "subject": wildcards.subject,
            "model": wildcards.model,
            "uses_bold": params.uses_bold,
            "scheme": params.options["scheme"],
        },
        snakemake.output[0],
    )
