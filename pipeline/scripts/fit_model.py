"""Rule fit_model."""

from pipeline.dataset import Dataset
from pipeline.design import Design, load_band
from pipeline.fit.run import fit_model
from pipeline.provenance import as_attribute, describe
from pipeline.stage import stage

with stage(snakemake):
    params, wildcards = snakemake.params, snakemake.wildcards
    train, test = params.stories["train"], params.stories["test"]
    bands = tuple(
        load_band(name, path, options, params.delays, train, test)
        for (name, options), path in zip(params.bands.items(), snakemake.input.bands, strict=True)
    )
    description = describe(snakemake.config, snakemake.input.manifest)
    fit_model(
        Dataset.from_config(params.dataset),
        wildcards.subject,
        Design(bands),
        train,
        test,
        params.options,
        params.seeds,
        params.voxels_per_block,
        {
            "subject": wildcards.subject,
            "model": wildcards.model,
            "provenance": as_attribute(description),
        },
        snakemake.output[0],
    )
