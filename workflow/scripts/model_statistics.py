"""Rule model_statistics."""

from job import snakemake, work
from pipeline.bands.options import BandOptions
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
            features,
            matches,
            files.basis,
            params.delays,
            params.stories,
        )
        for (name, options), features, matches in zip(
            params.matchers.items(), files.features, files.matches, strict=True
        )
    ]
    write_statistics(
        Dataset.from_config(params.dataset),
        wildcards.subject,
        files.fit,
        dict(zip(params.references, files.references, strict=True)),
        TestOptions.read(params.options),
        params.seed,
        {
            "subject": wildcards.subject,
            "model": wildcards.model,
            "uses_bold": params.uses_bold,
            "scheme": params.options["scheme"],
        },
        snakemake.output[0],
        matchers,
    )
