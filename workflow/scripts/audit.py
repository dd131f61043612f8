"""Rule audit."""

import pandas as pd

from job import snakemake, work
from pipeline.audit import Subject, audit
from pipeline.bands.registry import BandOptions
from pipeline.core.atomic import write_text
from pipeline.dataset.dataset import Dataset

with work(snakemake):
    params = snakemake.params
    subject = Subject(
        dataset=Dataset.from_config(params.dataset),
        name=snakemake.wildcards.subject,
        train=params.stories["train"],
        test=params.stories["test"],
        words=pd.read_parquet(snakemake.input.words),
        basis=snakemake.input.basis,
        features=dict(zip(params.bands, snakemake.input.features, strict=True)),
        matches=params.matches,
        options={band: BandOptions.read(o) for band, o in params.options.items()},
        delays=params.delays,
        seed=params.seeds["matching"],
    )
    table = audit(
        subject,
        n_stories=params.sample["stories"],
        n_rows=params.sample["rows"],
        seed=params.seeds["audit"],
    )
    text = table.to_csv(sep="\t", index=False, na_rep="n/a", float_format="%.3f")
    write_text(snakemake.output[0], text)
