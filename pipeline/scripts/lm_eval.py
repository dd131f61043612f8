"""Rule lm_eval."""

from pathlib import Path

import pandas as pd

from gim.evaluation.tune import best_tau
from pipeline.language_model import run_gim
from pipeline.stage import stage

with stage(snakemake):
    options = snakemake.params.options
    run_gim(
        "eval",
        options["evaluate"],
        options,
        context=options["context"],
        encoder=options["encoder"],
        index=snakemake.input.index,
        tau=best_tau(pd.read_csv(snakemake.input.tau, sep="\t")),
        stride=options["stride"],
        models=options["models"] or None,
        out=Path(snakemake.output[0]).parent,
    )
