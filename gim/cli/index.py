"""Build an Infini-Gram index of a reference corpus."""

import argparse

from gim.cli.options import natural, positive


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("corpora", nargs="+", help="text or JSONL files, plain, .gz, .xz or .zst")
    parser.add_argument("--out", required=True, help="directory of the index")
    parser.add_argument("--tokenizer", default=None, help="path or name (default: the shipped one)")
    parser.add_argument("--field", default="text", help="key of the text in JSONL")
    parser.add_argument("--cpus", type=positive, default=1, help="processes of the suffix sort")
    parser.add_argument("--memory", type=positive, default=2, help="GiB for the suffix sort")
    parser.add_argument("--hold-out", type=natural, default=0, help="leave out every n-th document")


def run(args: argparse.Namespace) -> None:
    """Build, verify, report."""
    from gim.infinigram.index import build_index
    from gim.text.tokenizer import load_tokenizer

    found = build_index(
        args.corpora,
        load_tokenizer(args.tokenizer),
        args.out,
        field=args.field,
        cpus=args.cpus,
        memory=args.memory,
        hold_out=args.hold_out,
    )
    size = sum(found["bytes"].values())
    print(
        f"{args.out}: {found['documents']:,} documents, {found['tokens']:,} tokens, "
        f"{size / found['tokens']:.1f} bytes a token, verified"
    )
