"""Rules lm_index, lm_tune, lm_eval, pretrain and distill: the commands of `gim`."""

import pandas as pd
import torch

from gim.evaluation.tune import best_tau
from job import snakemake, work
from pipeline.language_model import run_gim

with work(snakemake):
    torch.set_num_threads(snakemake.threads)
    params, flags = snakemake.params, dict(snakemake.params.flags)
    if "tau" in snakemake.input.keys():  # noqa: SIM118  # no dictionary, though it has keys
        flags["tau"] = best_tau(pd.read_csv(snakemake.input.tau, sep="\t"))
    run_gim(params.command, params.files, flags)
