"""Rule lm_tune."""

from pipeline.language_model import run_gim
from pipeline.stage import stage

with stage(snakemake):
    options = snakemake.params.options
    run_gim(
        "tune",
        options["train"],
        options,
        context=options["context"],
        encoder=options["encoder"],
        every=options["hold_out"],
        stride=options["tune_stride"],
        out=snakemake.output[0],
    )
