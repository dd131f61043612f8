"""Rule shares."""

from itertools import product
from pathlib import Path

from job import snakemake, work
from pipeline.core.atomic import write_table
from pipeline.regions.labels import parcellations_of_subjects
from pipeline.tables.shares import shares_table

with work(snakemake):
    params = snakemake.params
    fits = dict(zip(product(params.subjects, params.models), snakemake.input.fits, strict=True))
    truth = next((Path(path).parent for path in snakemake.input.truth), None)
    labels = parcellations_of_subjects(
        fits, params.baseline, regions=params.regions, mask=params.mask, truth=truth
    )
    write_table(shares_table(fits, labels, params.baseline), snakemake.output[0])
