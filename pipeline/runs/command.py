"""Write a table of runs (docs/data.md) from a BIDS tree, contents fetched or not.

    python -m pipeline.runs --bids ROOT --derivatives fmriprep --task T --out ROOT/runs.tsv

Gaps and doubts stay in the table as n/a, and are said.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipeline.core.atomic import write_text
from pipeline.core.errors import Findings, Problem, ProblemError
from pipeline.runs.tree import FORMS, STORY, Wanted, run_table


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.runs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--bids", type=Path, required=True, help="root of the dataset")
    parser.add_argument(
        "--derivatives", default="", help="folder of ROOT/derivatives that holds sub-* (fmriprep)"
    )
    parser.add_argument("--task", required=True, help="task, or several: a,b")
    parser.add_argument("--form", choices=FORMS, default="volume", help="of the responses")
    parser.add_argument("--space", help="space in their names, where there are several")
    parser.add_argument(
        "--story",
        default=STORY,
        help="name of a run's story, with {task}, {run}, {session}, {order} (which run of the "
        "subject's, from 1); by default the task where it has one run, else TASK_run-RUN",
    )
    parser.add_argument(
        "--transcript", help="path under ROOT, with the same and {story}; else the run's events"
    )
    parser.add_argument("--out", type=Path, help="the table (ROOT/runs.tsv)")
    options = parser.parse_args(arguments)
    out = options.out or options.bids / "runs.tsv"
    findings = Findings()
    try:
        wanted = Wanted(
            bids=options.bids,
            derivatives=options.bids / "derivatives" / options.derivatives,
            task=options.task,
            form=options.form,
            space=options.space,
            story=options.story,
            transcript=options.transcript,
        )
        if not wanted.derivatives.is_dir():
            what = "there is no such folder"
            raise ProblemError(Problem(wanted.derivatives, "", what, "correct --derivatives"))
        table = run_table(wanted, out.resolve().parent, findings)
    except ProblemError as error:
        sys.exit(str(error))
    write_text(out, table.to_csv(sep="\t", index=False))
    for warning in findings.warnings:
        print(warning, file=sys.stderr)
    heard = table[table["responses"] != "n/a"]
    print(f"{out}: {len(heard)} runs of {heard['subject'].nunique()} subjects")
