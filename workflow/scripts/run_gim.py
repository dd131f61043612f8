"""Rules lm_index, lm_tune, lm_eval, pretrain and distill: the commands of `gim`."""

import torch

from job import snakemake, work
from pipeline.language_model import run_gim

with work(snakemake):
    torch.set_num_threads(snakemake.threads)
    params = snakemake.params
    run_gim(params.command, params.files, params.flags)
