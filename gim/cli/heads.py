"""Induction-head scores of a causal language model."""

import argparse
from pathlib import Path

from gim.cli.options import text_of
from gim.errors import InputError


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("model", help="directory or name of a Hugging Face causal LM")
    parser.add_argument("--tokenizer", default=None, help="with --text: the model's tokenizer")
    parser.add_argument("--text", default=None, help="file on which GIM's matches are compared")
    parser.add_argument("--sequences", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", required=True, help="directory of the table and the heat map")


def run(args: argparse.Namespace) -> None:
    """Score every head; print the ten best."""
    from gim.causal.heads import head_scores, in_context_score, match_agreement, write_heads
    from gim.causal.model import load_causal
    from gim.text.tokenizer import load_tokenizer

    model = load_causal(args.model)
    table = head_scores(model, sequences=args.sequences, seed=args.seed)
    extra = {"model": Path(args.model).name, "seed": args.seed}
    if args.text:
        if args.tokenizer is None:
            raise InputError("--text needs --tokenizer, the model's own")
        ids = load_tokenizer(args.tokenizer).encode(text_of("@" + args.text))
        extra["in_context_score"] = in_context_score(model, ids)
        table["gim_agreement"] = match_agreement(model, ids)
    write_heads(table, args.out, extra)
    print(table.sort_values("prefix_matching", ascending=False).head(10).to_string(index=False))
