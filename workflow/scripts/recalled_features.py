"""Rule recalled_features."""

from job import snakemake, work
from pipeline.bands.registry import BandOptions
from pipeline.dataset.dataset import Dataset
from pipeline.recall.features import recalled_features

with work(snakemake):
    params = snakemake.params
    dataset = Dataset.from_config(params.dataset)
    stories = [*params.stories["train"], *params.stories["test"]]
    recalled_features(
        snakemake.input.recall,
        n_rows={story: dataset.grid(story).n_rows for story in stories},
        options=BandOptions.read(params.options),
        output=snakemake.output[0],
        through=snakemake.input.through or None,
    )
