"""Choose tau on held-out documents of the training corpus."""

import argparse
import tempfile
from pathlib import Path

from gim.cli.options import add_model, load_model
from gim.errors import InputError


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("files", nargs="+", help="the training corpus")
    add_model(parser, tau=False, index=False)
    parser.add_argument("--every", type=int, default=20, help="hold out every n-th document")
    parser.add_argument(
        "--no-index", action="store_true", help="tune GIM without a reference corpus"
    )
    parser.add_argument("--stride", type=int, default=64)
    parser.add_argument("--out", required=True, help="TSV of the sweep")


def run(args: argparse.Namespace) -> None:
    """Index the rest, sweep tau on the documents held out."""
    from gim.evaluation.evaluate import evaluate
    from gim.evaluation.tune import best_tau, every_nth, sweep
    from gim.files import write_text
    from gim.infinigram.index import build_index
    from gim.text.corpus import read_documents
    from gim.text.tokenizer import load_tokenizer

    if args.every < 2:
        raise InputError(f"--every {args.every} would leave nothing to train on; use 2 or more")
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        if not args.no_index:  # the held-out documents must not be in the index
            tokenizer = load_tokenizer(args.tokenizer)
            build_index(args.files, tokenizer, index, hold_out=args.every)
        model = load_model(args, [] if args.no_index else [str(index)])
        held_out = every_nth(read_documents(args.files), args.every)
        result = evaluate(held_out, model, stride=args.stride, progress=True)
    table = sweep(result.components, result.document, result.vocab_size)
    write_text(args.out, table.to_csv(sep="\t", index=False, float_format="%.6g"))
    print(table.to_string(index=False))
    print(f"tau = {best_tau(table)}")
