"""Distil a causal language model into an encoder for fuzzy matching.

On several processes or machines: `accelerate launch -m gim.cli distill --config FILE`.
"""

import argparse

from gim.cli.options import run_training


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--config", required=True, help="YAML, see config/distill.yaml")


def run(args: argparse.Namespace) -> None:
    """Train, or continue an interrupted run."""
    from gim.training.distill import distill
    from gim.training.settings import Distillation

    run_training(args.config, Distillation, distill)
