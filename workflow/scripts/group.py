"""Rule group."""

from itertools import product
from pathlib import Path

from job import snakemake, work
from pipeline.core.atomic import write_table
from pipeline.regions.labels import parcellations_of_subjects
from pipeline.tables.group import group_table, subjects_table

with work(snakemake):
    params, output = snakemake.params, snakemake.output
    fits = dict(zip(product(params.subjects, params.models), snakemake.input.fits, strict=True))
    truth = next((Path(path).parent for path in snakemake.input.truth), None)
    labels = parcellations_of_subjects(
        fits, params.baseline, regions=params.regions, mask=params.mask, truth=truth
    )
    table = subjects_table(fits, labels, params.comparisons)
    group = group_table(
        table, alpha=params.alpha, permutations=params.permutations, seed=params.seed
    )
    write_table(table, output.subjects)
    write_table(group, output.group)
