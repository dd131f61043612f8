"""Rule model_statistics."""

from job import snakemake, work
from pipeline.bands.registry import BandOptions
from pipeline.dataset.dataset import Dataset
from pipeline.statistics.match_permutation import Matcher
from pipeline.statistics.options import TestOptions
from pipeline.statistics.run import write_statistics

with work(snakemake):
    params, wildcards, files = snakemake.params, snakemake.wildcards, snakemake.input
    matchers = [
        Matcher.read(
            name,
            BandOptions.read(options),
            features=features,
            matches=matches,
            basis=files.basis,
            delays=params.delays,
            stories=params.stories,
        )
        for (name, options), features, matches in zip(
            params.matchers.items(), files.features, files.matches, strict=True
        )
    ]
    write_statistics(
        Dataset.from_config(params.dataset),
        wildcards.subject,
        fit=files.fit,
        contrasts=dict(zip(params.contrasts, files.contrasts, strict=True)),
        options=TestOptions.read(params.options),
        seed=params.seed,
        attributes={
            "subject": wildcards.subject,
            "model": wildcards.model,
            "uses_bold": params.uses_bold,
            "scheme": params.options["scheme"],
        },
        output=snakemake.output[0],
        matchers=matchers,
    )
