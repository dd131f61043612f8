"""Rules fit_chunk and, where one job fits all voxels, fit_model."""

from job import snakemake, work
from pipeline.bands.registry import BandOptions
from pipeline.core.provenance import as_attribute, describe
from pipeline.dataset.dataset import Dataset
from pipeline.fit.design import Design, load_band
from pipeline.fit.options import FitOptions
from pipeline.fit.run import fit_model

with work(snakemake):
    params, wildcards, config = snakemake.params, snakemake.wildcards, snakemake.config
    train, test = params.stories["train"], params.stories["test"]
    bands = {name: BandOptions.read(options) for name, options in params.bands.items()}
    loaded = tuple(
        load_band(name, path, options=options, delays=params.delays, train=train, test=test)
        for (name, options), path in zip(bands.items(), snakemake.input.bands, strict=True)
    )
    description = describe(config, snakemake.input.manifest)
    # How the work is cut is no parameter of the rule: it changes no result.
    cut = {key: config["fit"][key] for key in ("device", "memory_gb")}
    options = FitOptions.read(params.options | cut, params.seeds, config["voxels_per_block"])
    chunk = wildcards.get("chunk")
    fit_model(
        Dataset.from_config(params.dataset),
        wildcards.subject,
        design=Design(loaded),
        train=train,
        test=test,
        options=options,
        attributes={
            "subject": wildcards.subject,
            "model": wildcards.model,
            "provenance": as_attribute(description),
        },
        output=snakemake.output[0],
        grams=snakemake.input.grams,
        chunk=(int(chunk), config["fit"]["jobs"]) if chunk else (1, 1),
        keep=[name for name, band in bands.items() if band.copies_single_matches],
    )
