"""Rule summary."""

from itertools import product

from job import snakemake, work
from pipeline.core.atomic import read_table, write_table
from pipeline.tables.contamination import known_training_stories
from pipeline.tables.familiarity import familiar_training_stories
from pipeline.tables.gains import gains
from pipeline.tables.summary import summarise

with work(snakemake):
    params = snakemake.params
    keys = product(params.subjects, params.models)
    fits = dict(zip(keys, snakemake.input.fits, strict=True))
    write_table(summarise(fits, params.baseline, params.horizon), snakemake.output.summary)
    known = known_training_stories(read_table(snakemake.input.contamination))
    for path in snakemake.input.familiarity:
        known += familiar_training_stories(read_table(path))
    known = list(dict.fromkeys(known))
    write_table(gains(fits, params.models, params.baseline, known), snakemake.output.gains)
