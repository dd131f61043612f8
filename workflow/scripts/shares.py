"""Rule shares."""

from itertools import product
from pathlib import Path

from job import snakemake, work
from pipeline.core.atomic import write_table
from pipeline.fit.file import FitFile
from pipeline.regions.labels import read_parcellations
from pipeline.tables.shares import shares_table

with work(snakemake):
    params = snakemake.params
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
    write_table(shares_table(fits, labels, params.baseline), snakemake.output[0])
