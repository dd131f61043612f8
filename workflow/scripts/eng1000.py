"""Rule eng1000."""

import pandas as pd

from job import snakemake, work
from pipeline.embedding.eng1000 import build

with work(snakemake):
    options = snakemake.params.options
    embedding = build(
        options["corpora"],
        pd.read_parquet(snakemake.input.words)["word"].unique(),
        basis_words=options["basis_words"],
        vocabulary=options["vocabulary"],
        window=options["window"],
    )
    embedding.save(snakemake.output[0])
