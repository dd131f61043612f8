"""Rule recall."""

from job import snakemake, work
from pipeline.bands.registry import BandOptions
from pipeline.dataset.dataset import Dataset
from pipeline.fit.options import training_folds
from pipeline.recall.recall import recall

with work(snakemake):
    params = snakemake.params
    dataset, train = Dataset.from_config(params.dataset), params.stories["train"]
    n_rows = {story: dataset.grid(story).n_rows for story in train}
    recall(
        snakemake.input[0],
        folds=training_folds(train, n_rows, params.n_folds, params.seeds["folds"]),
        test=params.stories["test"],
        options=BandOptions.read(params.options),
        blocks=dataset.blocks,
        seed=params.seeds["matching"],
        output=snakemake.output.recall,
        evidence=snakemake.output.passages,
    )
