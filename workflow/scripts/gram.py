"""Rule gram."""

from job import snakemake, work
from pipeline.bands.registry import BandOptions
from pipeline.dataset.dataset import Dataset
from pipeline.fit.design import load_band
from pipeline.fit.grams import GramFile
from pipeline.fit.options import training_folds

with work(snakemake):
    params = snakemake.params
    dataset, train = Dataset.from_config(params.dataset), params.train
    n_rows = {story: dataset.grid(story).n_rows for story in train}
    bands = {
        name: load_band(
            name,
            path,
            options=BandOptions.read(options),
            delays=params.delays,
            train=train,
            test=[],
        )
        for (name, options), path in zip(params.bands.items(), snakemake.input.bands, strict=True)
    }
    a, b = snakemake.wildcards.a, snakemake.wildcards.b
    folds = training_folds(train, n_rows, params.n_folds, params.seed)
    GramFile.write(snakemake.output[0], bands[a], bands[b], folds)
