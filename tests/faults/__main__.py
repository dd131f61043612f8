"""Break the workflow in every way that happens, and see that the next run makes the same table.

    python -m tests.faults [CASE ...] [--kills N] [--seed N] [--out FILE]

Needs root for the full disk, the read-only folder and the memory limit. Prints one row of a
Markdown table a fault, and ends with 1 if any table was wrong.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.faults.cases import CASES
from tests.faults.kills import kills
from tests.faults.outcome import Outcome
from tests.faults.workflow import Workflow


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = ["kills", *CASES]
    parser.add_argument("cases", nargs="*", choices=[[], *names], metavar="CASE", help=str(names))
    parser.add_argument("--kills", type=int, default=21)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="write the table here as well")
    args = parser.parse_args()
    rows = [Outcome.head()]
    print(rows[0], flush=True)
    good = True
    with tempfile.TemporaryDirectory(prefix="gim-faults-") as name:
        root = Path(name)
        root.chmod(0o755)  # for the case that runs as another user
        whole = Workflow.create(root / "whole")
        if status := whole.run():
            sys.exit(
                f"the undisturbed run ended with {status}:\n{(whole.folder / 'log').read_text()}"
            )
        for case in args.cases or names:
            for outcome in (
                kills(root, whole.table(), args.kills, args.seed)
                if case == "kills"
                else CASES[case](root, whole)
            ):
                rows.append(outcome.row())
                print(rows[-1], flush=True)
                good &= outcome.good
    if args.out:
        args.out.write_text("\n".join(rows) + "\n")
    sys.exit(not good)


if __name__ == "__main__":
    main()
