"""Rule regions."""

from itertools import product
from pathlib import Path

from job import snakemake, work
from pipeline.core.atomic import write_table
from pipeline.fit.file import FitFile
from pipeline.regions.chart import write_chart
from pipeline.regions.labels import read_parcellations
from pipeline.regions.summary import summarise_regions

with work(snakemake):
    params, output = snakemake.params, snakemake.output
    keys = product(params.subjects, params.models)
    fits = dict(zip(keys, snakemake.input.fits, strict=True))
    truth = next((Path(path).parent for path in snakemake.input.truth), None)
    labels = {
        subject: read_parcellations(
            params.regions,
            params.mask,
            truth,
            subject,
            named=FitFile(fits[subject, params.baseline]).region_names(),
        )
        for subject in params.subjects
    }
    table = summarise_regions(fits, labels, baseline=params.baseline, over=params.over)
    shown = params.models if params.figures_for is None else params.figures_for
    for name, path in zip(params.charted, output.charts, strict=True):
        write_chart(
            table[table["parcellation"] == name], path, models=shown, baseline=params.baseline
        )
    write_table(table, output.table)
