"""Rule audit."""

import pandas as pd

from job import snakemake, work
from pipeline.audit import Subject, audit
from pipeline.bands.registry import BandOptions
from pipeline.core.atomic import write_text
from pipeline.dataset.dataset import Dataset
from pipeline.fit.options import training_folds
from pipeline.recall.checks import MemoryAudit

with work(snakemake):
    params, given = snakemake.params, snakemake.input
    dataset, train = Dataset.from_config(params.dataset), params.stories["train"]
    n_rows = {story: dataset.grid(story).n_rows for story in train}
    folds = training_folds(train, n_rows, params.n_folds, params.seeds["folds"])
    memories = [
        MemoryAudit(
            band=band,
            options=BandOptions.read(params.searching[band]),
            contexts=contexts,
            recall=recall,
            folds=folds,
            test=params.stories["test"],
            blocks=dataset.blocks,
            seed=params.seeds["matching"],
            features=params.recalled[band],
            through=params.through,
        )
        for band, contexts, recall in zip(
            params.searching, given.contexts, given.recall, strict=True
        )
    ]
    subject = Subject(
        dataset=dataset,
        name=snakemake.wildcards.subject,
        train=train,
        test=params.stories["test"],
        words=pd.read_parquet(given.words),
        basis=given.basis,
        features=dict(zip(params.bands, given.features, strict=True)),
        matches=params.matches,
        options={band: BandOptions.read(o) for band, o in params.options.items()},
        delays=params.delays,
        seed=params.seeds["matching"],
        memories=memories,
    )
    table = audit(
        subject,
        n_stories=params.sample["stories"],
        n_rows=params.sample["rows"],
        seed=params.seeds["audit"],
    )
    text = table.to_csv(sep="\t", index=False, na_rep="n/a", float_format="%.3f")
    write_text(snakemake.output[0], text)
