"""Rule summary."""

from itertools import product

from pipeline.stage import stage
from pipeline.summary import summarise, write_summary

with stage(snakemake):
    params = snakemake.params
    keys = product(params.subjects, params.models)
    fits = dict(zip(keys, snakemake.input.fits, strict=True))
    write_summary(summarise(fits, params.baseline, params.horizon), snakemake.output[0])
