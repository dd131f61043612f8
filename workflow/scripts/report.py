"""Rule report."""

import json
from itertools import product
from pathlib import Path

from job import snakemake, work
from pipeline.core.atomic import read_table, write_text
from pipeline.core.provenance import describe
from pipeline.report.page import Run, render
from pipeline.report.shares import kept_variance
from pipeline.report.sweep import read_run
from pipeline.report.timings import collect_timings
from pipeline.report.warnings import all_warnings
from pipeline.tables.familiarity import familiarity_warnings


def table(path):
    """A TSV, or None where the run has none."""
    return read_table(path) if path else None


with work(snakemake):
    params, files = snakemake.params, snakemake.input
    timings = collect_timings(params.benchmarks, params.subjects, params.models)
    description = describe(snakemake.config, files.manifest)
    keys = product(params.subjects, params.models)
    kept = product(params.subjects, params.kept)
    run = Run(
        provenance=description,
        summary=table(files.summary),
        gains=table(files.gains),
        timings=timings,
        significance=table(files.significance),
        ceiling=table(files.ceiling),
        fits=dict(zip(keys, map(Path, files.fits), strict=True)),
        maps=dict(zip(params.subjects, map(Path, files.maps), strict=True)),
        explorers=dict(zip(params.subjects, map(Path, files.explorers), strict=True)),
        warnings=[
            *all_warnings(files.warnings, files.settings, files.features),
            *(w for f in files.familiarity for w in familiarity_warnings(table(f), f)),
        ],
        coverage=json.loads(Path(files.settings).read_text(encoding="utf-8"))["coverage"],
        contamination=table(files.contamination),
        regions=table(next(iter(files.regions), None)),
        charts=dict(zip(params.charted, map(Path, files.charts), strict=True)),
        partition=table(next(iter(files.partition), None)),
        shares=table(files.shares),
        controls=dict(zip(params.controls, map(table, files.controls), strict=True)),
        kept=kept_variance(dict(zip(params.subjects, files.bases, strict=False))),
        tunings=dict(zip(kept, map(Path, files.tunings), strict=True)),
        group=table(next(iter(files.group), None)),
        group_subjects=table(next(iter(files.group[1:]), None)),
        group_maps=next(map(Path, files.group_maps), None),
        viewers=dict(zip(params.subjects, map(Path, files.viewers), strict=False)),
        sweep=list(map(read_run, files.sweep_provenance, files.sweep_gains)),
    )
    write_text(snakemake.output.timings, timings.to_csv(sep="\t", index=False, na_rep="n/a"))
    write_text(snakemake.output.provenance, json.dumps(description, indent=1))
    write_text(snakemake.output.report, render(run))
