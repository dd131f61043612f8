"""kill -9 at random moments: of the whole run, of Snakemake alone, of one of its jobs."""

import contextlib
import os
import random
import signal
import time
from pathlib import Path

from tests.faults.outcome import Outcome
from tests.faults.workflow import TABLE, Workflow

KINDS = ("everything", "snakemake", "a job")


def children(pid):
    """Processes below a process, parents first."""
    found = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                found += [child, *children(child)]
    return found


def kill(process, kind, rng):
    """Kill -9; returns how many processes were there beside Snakemake."""
    below = children(process.pid)
    if kind == "everything":
        os.killpg(process.pid, signal.SIGKILL)  # one signal: nothing can react to another's end
    else:
        with contextlib.suppress(ProcessLookupError):
            os.kill(rng.choice(below) if kind == "a job" and below else process.pid, signal.SIGKILL)
    return len(below)


def kills(root, reference, number, seed):
    """Runs that are killed until one gets through, again and again, until `number` kills were done.

    After Snakemake alone was killed its jobs go on, and write beside those of the next start.
    """
    rng = random.Random(seed)
    done, chain = 0, 0
    while done < number:
        chain += 1
        workflow = Workflow.create(root / f"kills{chain}", like=None)
        # The first chain goes through everything, the others to the table.
        targets = [] if chain == 1 else [TABLE]
        while done < number or workflow.table() is None:
            if workflow.locked():
                workflow.run("--unlock")
            begin = time.monotonic()
            process = workflow.start(*targets)
            delay = rng.uniform(2, 25)
            with contextlib.suppress(Exception):
                process.wait(delay if done < number else 1200)
            if process.poll() is not None:
                break
            kind = KINDS[done % len(KINDS)]
            below = kill(process, kind, rng)
            process.wait()
            done += 1
            table = workflow.table()
            yield Outcome(
                f"kill -9 of {kind} after {delay:.0f} s",
                f"{below} processes were there; "
                f"{'locked' if workflow.locked() else 'not locked'}, exit {process.returncode}",
                f"{len(list(workflow.folder.rglob('.partial-*')))} partial files",
                "to be continued",
                table in (None, reference),
                time.monotonic() - begin,
            )
        begin = time.monotonic()
        status = workflow.recover(*targets)
        yield Outcome(
            f"start {chain}, at last left alone",
            "",
            "",
            f"exit {status}",
            status == 0 and workflow.table() == reference,
            time.monotonic() - begin,
        )
