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
    # With its provenance a run can be opened, by the report as by anyone.
    description = describe(snakemake.config, snakemake.input.manifest)
    write_text(output.provenance, json.dumps(description, indent=1))
    run = Run(Path(output.provenance).parent)
    write_text(output.report, render(read_contents(run, timings)))
