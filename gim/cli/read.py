"""Read a text: how surprising every token was, and the passages that spoke for it."""

import argparse

from gim.cli.options import (
    add_model,
    add_weighted,
    load_model,
    load_weighted,
    natural,
    text_of,
)


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("file", help="file of the text")
    add_model(parser, tau=False)
    add_weighted(parser, "evidence weighed: always so here")
    parser.add_argument("--html", default=None, help="page to write")
    parser.add_argument("--evidence", type=natural, default=5, help="passages a token")


def run(args: argparse.Namespace) -> None:
    """Print what sums up, write the page."""
    from gim.errors import InputError
    from gim.evaluation.page import read_text, summary, to_page
    from gim.files import check_output, write_text

    if args.html:
        check_output(args.html, [args.file])
    args.weighted = args.weighted or "shipped"
    text = text_of(f"@{args.file}")
    if not text.strip():
        raise InputError(f"{args.file}: no text to read")
    steps = read_text(load_weighted(args, load_model(args)), text, args.evidence)
    for name, value in summary(steps).items():
        print(f"{name:<14}{value:.3f}")
    if args.html:
        write_text(args.html, to_page(steps))
