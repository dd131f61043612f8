"""Rule weights."""

from job import snakemake, work
from pipeline.bands.registry import BandOptions
from pipeline.core.provenance import as_attribute, describe
from pipeline.dataset.dataset import Dataset
from pipeline.fit.design import Design, load_band
from pipeline.fit.options import FitOptions
from pipeline.fit.refit import keep_band, keep_weights

with work(snakemake):
    params, wildcards, config = snakemake.params, snakemake.wildcards, snakemake.config
    files, train = snakemake.input, params.train
    loaded, kept = [], []
    for name, mapping in params.bands.items():
        options, made_from = BandOptions.read(mapping), params.made_from[name]
        band = load_band(
            name,
            made_from["features"],
            options=options,
            delays=params.delays,
            train=train,
            test=[],
        )
        loaded.append(band)
        kept.append(keep_band(band, made_from, options))
    keep_weights(
        Dataset.from_config(params.dataset),
        wildcards.subject,
        design=Design(tuple(loaded)),
        kept=kept,
        train=train,
        fit=files.fit,
        options=FitOptions.read(config["fit"], config["seeds"], config["voxels_per_block"]),
        attributes={
            "subject": wildcards.subject,
            "model": wildcards.model,
            "provenance": as_attribute(describe(config, files.manifest)),
        },
        output=snakemake.output[0],
        grams=files.grams,
        summed=params.summed,
    )
