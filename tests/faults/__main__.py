"""Break the workflow in every way that happens, and see that the next run makes the same table.

    python -m tests.faults [CASE ...] [--kills N] [--seed N] [--whole FOLDER] [--out FILE]

Needs root for the full disk, the read-only folder and the memory limit. Prints one row of a
Markdown table a fault, and ends with 1 if any table was wrong.
"""

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path

from tests.faults.cases import CASES
from tests.faults.kills import kills
from tests.faults.outcome import Outcome
from tests.faults.workflow import Workflow


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"kills, {', '.join(CASES)}")
    parser.add_argument("--kills", type=int, default=21)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--whole", type=Path, help="folder of a finished run, to save making one")
    parser.add_argument("--out", type=Path, help="write the table here as well")
    args = parser.parse_args()
    cases = {"kills": partial(kills, number=args.kills, seed=args.seed), **CASES}
    if unknown := set(args.cases) - set(cases):
        parser.error(f"unknown {', '.join(unknown)}: use {', '.join(cases)}")
    good = True
    rows = [Outcome.head()]
    print(rows[0], flush=True)
    with tempfile.TemporaryDirectory(prefix="gim-faults-") as name:
        root = Path(name)
        whole = Workflow(args.whole) if args.whole else undisturbed(root / "whole")
        for case in args.cases or cases:
            for outcome in cases[case](root, whole):
                rows.append(outcome.row())
                print(rows[-1], flush=True)
                good &= outcome.good
    if args.out:
        args.out.write_text("\n".join(rows) + "\n")
    sys.exit(not good)


def undisturbed(folder):
    """The run that the others are compared with."""
    workflow = Workflow.create(folder)
    if status := workflow.run():
        sys.exit(f"the undisturbed run ended with {status}: {workflow.said('rror')}")
    return workflow


if __name__ == "__main__":
    main()
