"""Rule report."""

import json

import pandas as pd

from pipeline.atomic import write_text
from pipeline.provenance import describe
from pipeline.report import collect_timings, render
from pipeline.stage import stage

with stage(snakemake):
    params, files = snakemake.params, snakemake.input
    timings = collect_timings(params.benchmarks, params.subjects, params.models)
    description = describe(snakemake.config, files.manifest)
    html = render(
        pd.read_csv(files.summary, sep="\t"),
        pd.read_csv(files.regions, sep="\t") if files.regions else None,
        timings,
        dict(zip(params.subjects, files.maps, strict=True)),
        files.fits,
        files.warnings,
        description,
    )
    write_text(snakemake.output.timings, timings.to_csv(sep="\t", index=False, na_rep="n/a"))
    write_text(snakemake.output.provenance, json.dumps(description, indent=1, sort_keys=True))
    write_text(snakemake.output.report, html)
