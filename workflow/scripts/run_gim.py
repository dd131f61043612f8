"""Rules lm_index, lm_tune, lm_eval, pretrain and distill: the commands of `gim`."""

import os

from job import snakemake, work
from pipeline.language_model import run_gim

with work(snakemake):
    os.environ["OMP_NUM_THREADS"] = str(snakemake.threads)  # of PyTorch, which few commands load
    params = snakemake.params
    run_gim(params.command, params.files, params.flags)
