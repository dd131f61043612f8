"""Show what every token of a text was predicted from."""

import argparse
import sys

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
    parser.add_argument("text", help="the text, or @FILE")
    add_model(parser)
    add_weighted(parser, "weigh evidence instead of Eq. 5")
    parser.add_argument("--html", default=None, help="write a page instead of the terminal view")
    parser.add_argument("--evidence", type=natural, default=5, help="passages a token")


def run(args: argparse.Namespace) -> None:
    """Print lines, or write a page."""
    from gim.evaluation.explain import explain, to_html, to_terminal
    from gim.files import check_output, write_text

    if args.html:
        check_output(args.html, [args.text[1:]] if args.text.startswith("@") else [])
    model = load_model(args)
    steps = explain(load_weighted(args, model) or model, text_of(args.text), args.evidence)
    if args.html:
        write_text(args.html, to_html(steps))
    else:
        print(to_terminal(steps, colour=sys.stdout.isatty()))
