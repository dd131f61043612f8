"""Rule report."""

import json
from pathlib import Path

from job import snakemake, work
from pipeline.core.atomic import write_text
from pipeline.core.provenance import describe
from pipeline.finished.run import Run
from pipeline.report.contents import read_contents
from pipeline.report.page import render
from pipeline.report.timings import collect_timings

with work(snakemake):
    params, output = snakemake.params, snakemake.output
    timings = collect_timings(params.benchmarks, params.subjects, params.models)
    write_text(output.timings, timings.to_csv(sep="\t", index=False, na_rep="n/a"))
    description = describe(snakemake.config, snakemake.input.manifest)
    write_text(output.provenance, json.dumps(description, indent=1))
    # Its provenance hides where on this disk the dataset lies, which says what the run has.
    run = Run(Path(output.provenance).parent, snakemake.config)
    write_text(output.report, render(read_contents(run, timings)))
