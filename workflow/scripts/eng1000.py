"""Rule eng1000."""

import pandas as pd

from job import snakemake, work
from pipeline.embedding.eng1000 import build

with work(snakemake):
    options = snakemake.params.options
    embedding = build(
        options["corpora"],
        pd.read_parquet(snakemake.input.words)["word"].unique(),
        options["basis_words"],
        options["vocabulary"],
        options["window"],
    )
    embedding.save(snakemake.output[0])
