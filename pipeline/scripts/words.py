"""Rule words."""

from pipeline.core.atomic import atomic_path
from pipeline.dataset import Dataset
from pipeline.stage import stage
from pipeline.stimuli import read_stories

with stage(snakemake):
    words = read_stories(Dataset.from_config(snakemake.params.dataset), snakemake.params.stories)
    with atomic_path(snakemake.output[0]) as path:
        words.to_parquet(path)
