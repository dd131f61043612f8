"""Rule prepare."""

from job import snakemake, work
from pipeline.dataset.prepare import prepare

with work(snakemake):
    subject, story = snakemake.wildcards.subject, snakemake.wildcards.story
    prepare(snakemake.params.config, subject, story, snakemake.output[0])
