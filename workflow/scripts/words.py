"""Rule words."""

from job import snakemake, work
from pipeline.core.atomic import atomic_path
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.story import read_stories

with work(snakemake):
    words = read_stories(Dataset.from_config(snakemake.params.dataset), snakemake.params.stories)
    with atomic_path(snakemake.output[0]) as path:
        words.to_parquet(path)
