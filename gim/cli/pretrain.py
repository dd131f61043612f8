"""Train a causal language model of one's own: a teacher for `gim distill`, or a baseline.

On several processes or machines: `accelerate launch -m gim.cli pretrain --config FILE`.
"""

import argparse

from gim.cli.options import run_training


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--config", required=True, help="YAML, see config/pretrain.yaml")


def run(args: argparse.Namespace) -> None:
    """Train, or continue an interrupted run."""
    from gim.training.pretrain import pretrain
    from gim.training.settings import Pretraining

    run_training(args.config, Pretraining, pretrain)
