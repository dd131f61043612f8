"""Rule regions."""

from itertools import product
from pathlib import Path

from job import snakemake, work
from pipeline.core.atomic import write_table
from pipeline.regions.chart import write_chart
from pipeline.regions.labels import parcellations_of_subjects
from pipeline.regions.summary import summarise_regions

with work(snakemake):
    params, output = snakemake.params, snakemake.output
    keys = product(params.subjects, params.models)
    fits = dict(zip(keys, snakemake.input.fits, strict=True))
    truth = next((Path(path).parent for path in snakemake.input.truth), None)
    labels = parcellations_of_subjects(
        fits, params.baseline, regions=params.regions, mask=params.mask, truth=truth
    )
    table = summarise_regions(fits, labels, baseline=params.baseline, over=params.over)
    shown = params.models if params.figures_for is None else params.figures_for
    for name, path in zip(params.charted, output.charts, strict=True):
        write_chart(
            table[table["parcellation"] == name], path, models=shown, baseline=params.baseline
        )
    write_table(table, output.table)
