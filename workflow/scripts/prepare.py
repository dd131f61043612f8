"""Rule prepare."""

import json

from job import snakemake, work
from pipeline.dataset.prepare import prepare

with work(snakemake):
    subject, story = snakemake.wildcards.subject, snakemake.wildcards.story
    with open(snakemake.input.manifest, encoding="utf-8") as file:
        known = json.load(file)
    prepare(
        snakemake.params.config,
        subject=subject,
        story=story,
        output=snakemake.output[0],
        dropped=known.get("dropped_voxels", {}).get(subject, []),
        regions=known.get("regions", {}).get(subject),
    )
