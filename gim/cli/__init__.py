"""The command ``gim``: one module a subcommand, each with ``add(parser)`` and ``run(args)``.

It uses all of `gim`. Begin with `main` here; `options` has what several commands share.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from gim.errors import InputError

# In the order of the help text. What a module needs beyond this package, `run` imports.
COMMANDS = ("index", "eval", "tune", "explain", "read", "heads", "pretrain", "distill", "speculate")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status (2: something given was wrong)."""
    args = _parser().parse_args(arguments)
    try:
        args.run(args)
    except InputError as error:
        print(f"gim {args.command}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gim", description="The Generalized Induction Head Model as a language model."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in COMMANDS:
        module = import_module(f"gim.cli.{name}")
        text = str(module.__doc__).partition("\n")[0]
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=module.run)
        module.add(sub)
    return parser
