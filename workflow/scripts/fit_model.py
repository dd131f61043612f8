"""Rules fit_chunk and, where one job fits all voxels, fit_model."""

from job import snakemake, work
from pipeline.bands.registry import copies_single_matches
from pipeline.core.provenance import as_attribute, describe
from pipeline.dataset.dataset import Dataset
from pipeline.fit.design import Design, load_band
from pipeline.fit.run import fit_model

with work(snakemake):
    params, wildcards, config = snakemake.params, snakemake.wildcards, snakemake.config
    train, test = params.stories["train"], params.stories["test"]
    bands = tuple(
        load_band(name, path, options=options, delays=params.delays, train=train, test=test)
        for (name, options), path in zip(params.bands.items(), snakemake.input.bands, strict=True)
    )
    description = describe(config, snakemake.input.manifest)
    # How the work is cut is no parameter of the rule: it changes no result.
    how = {key: config["fit"][key] for key in ("device", "memory_gb")}
    chunk = wildcards.get("chunk")
    fit_model(
        Dataset.from_config(params.dataset),
        wildcards.subject,
        design=Design(bands),
        train=train,
        test=test,
        options=params.options | how | {"voxels_per_block": config["voxels_per_block"]},
        seeds=params.seeds,
        attributes={
            "subject": wildcards.subject,
            "model": wildcards.model,
            "provenance": as_attribute(description),
        },
        output=snakemake.output[0],
        grams=snakemake.input.grams,
        chunk=(int(chunk), config["fit"]["jobs"]) if chunk else (1, 1),
        keep=[name for name, options in params.bands.items() if copies_single_matches(options)],
    )
