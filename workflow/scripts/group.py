"""Rule group."""

from itertools import product
from pathlib import Path

from job import snakemake, work
from pipeline.core.atomic import write_table
from pipeline.fit.file import FitFile
from pipeline.regions.labels import read_parcellations
from pipeline.tables.group import group_table, subjects_table

with work(snakemake):
    params, output = snakemake.params, snakemake.output
    fits = dict(zip(product(params.subjects, params.models), snakemake.input.fits, strict=True))
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
    table = subjects_table(fits, labels, params.comparisons)
    group = group_table(
        table, alpha=params.alpha, permutations=params.permutations, seed=params.seed
    )
    write_table(table, output.subjects)
    write_table(group, output.group)
