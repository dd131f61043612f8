"""Induction heads of a causal language model: scores, evidence they look at, what they are for."""

import argparse
from pathlib import Path
from typing import Any

from gim.cli.options import natural, own_tokenizer, positive
from gim.errors import InputError


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("model", help="directory or name of a Hugging Face causal LM")
    parser.add_argument("--sequences", type=positive, default=8, help="of repeated random tokens")
    parser.add_argument("--seed", type=natural, default=0)
    parser.add_argument("--text", nargs="*", default=[], help="files on which heads are looked at")
    parser.add_argument("--tokenizer", default=None, help="with --text (default: the model's own)")
    parser.add_argument("--pieces", type=positive, default=6, help="pieces of text that are read")
    parser.add_argument("--length", type=positive, default=512, help="tokens of a piece")
    parser.add_argument(
        "--encoder", default=None, help="for fuzzy evidence (default: the shipped one), or none"
    )
    parser.add_argument(
        "--ablate", type=positive, nargs="*", default=[], help="numbers of best heads to take out"
    )
    parser.add_argument(
        "--draws", type=positive, default=20, help="of as many random heads instead"
    )
    parser.add_argument("--out", required=True, help="directory of the tables and the figure")


def run(args: argparse.Namespace) -> None:
    """Score every head; print the ten best, and what ablation costs."""
    from gim.causal.ablation import SHORTEST
    from gim.causal.heads import head_scores
    from gim.causal.heads_report import FILES, SETTINGS, write_heads
    from gim.causal.model import load_causal
    from gim.files import check_output_folder

    if args.ablate and not args.text:
        raise InputError("--ablate needs --text, on which it is seen what the heads are for")
    if args.ablate and args.length < SHORTEST:
        raise InputError(
            f"--length {args.length}: what heads are for is seen on {SHORTEST} or more"
        )
    check_output_folder(args.out, SETTINGS, FILES)
    model = load_causal(args.model)
    tokenizer, pieces = _read_text(args, model) if args.text else (None, [])
    table = head_scores(model, sequences=args.sequences, seed=args.seed)
    if pieces:
        _see_on_text(args, model, tokenizer, pieces, table)
    print(table.sort_values("prefix_matching", ascending=False).head(10).to_string(index=False))
    losses = _ablate(args, model, pieces, table) if args.ablate else None
    extra = {"model": Path(args.model).name, "seed": args.seed, "pieces": len(pieces)}
    write_heads(table, args.out, {**extra, "text": [Path(t).name for t in args.text]}, losses)


def _read_text(args: argparse.Namespace, model: Any) -> tuple[Any, list]:
    """The tokenizer, which must be the model's, and the pieces of text."""
    from gim.causal.model import check_vocabulary
    from gim.causal.shape import max_context
    from gim.text.pieces import read_pieces
    from gim.text.tokenizer import load_tokenizer

    tokenizer = load_tokenizer(args.tokenizer or own_tokenizer(args.model))
    check_vocabulary(args.model, model, tokenizer)
    most = max_context(model, args.length)
    if most < args.length:
        raise InputError(f"--length {args.length}: {args.model} reads {most} tokens at most")
    return tokenizer, read_pieces(args.text, tokenizer, args.length, args.pieces)


def _see_on_text(
    args: argparse.Namespace, model: Any, tokenizer: Any, pieces: list, table: Any
) -> None:
    """Add to the table what the heads do on text."""
    from gim.causal.heads import text_scores
    from gim.causal.overlap import text_overlap

    metric = None
    if args.encoder != "none":
        from gim.encoder.encoder import Encoder
        from gim.induction.fuzzy import as_metric

        metric = as_metric(Encoder.from_pretrained(args.encoder))
    for part in (text_scores(model, pieces), text_overlap(model, pieces, metric, tokenizer)):
        table[part.columns] = part


def _ablate(args: argparse.Namespace, model: Any, pieces: list, table: Any) -> Any:
    """Losses without heads, as a table, and print them."""
    import pandas as pd

    from gim.causal.ablation import conditions, losses_without, mean_outputs

    means, rows = mean_outputs(model, pieces), []
    for kind, draw, heads in conditions(table, args.ablate, args.draws, args.seed):
        found = losses_without(model, heads, means, pieces)
        rows.append({"kind": kind, "heads": len(heads), "draw": draw, **found})
    losses = pd.DataFrame(rows)
    print(losses.groupby(["kind", "heads"], sort=False).mean().drop(columns="draw").to_string())
    return losses
