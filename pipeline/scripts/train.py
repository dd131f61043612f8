"""Rules pretrain and distill: the commands of `gim` of these names."""

import torch

from pipeline.language_model import run_gim
from pipeline.stage import stage

with stage(snakemake):
    torch.set_num_threads(snakemake.threads)
    run_gim(snakemake.rule, [], {"tokenizer": None}, config=snakemake.input.config)
