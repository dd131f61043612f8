"""kill -9 at random moments: of the whole run, of Snakemake alone, of one of its jobs."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tests.faults.outcome import Outcome
from tests.faults.workflow import TABLE, Workflow

KINDS = ("everything", "snakemake", "a job")
PER_RUN = 7  # kills before a run is let through
DELAY = (0.0, 12.0)  # seconds


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


def kills(root, whole, number, seed):
    """Kill runs that make a random half of the results again; let every seventh get through.

    After Snakemake alone was killed its jobs go on, and write beside those of the next start.
    """
    rng = random.Random(seed)
    done = 0
    while done < number:
        begin, before = time.monotonic(), done
        workflow = Workflow.create(root / f"kills{done}", like=whole)
        removed = remove(workflow, rng)
        while done < min(number, before + PER_RUN):
            outcome = killed(workflow, whole, KINDS[done % len(KINDS)], rng)
            if outcome is None:  # it got through before the moment came
                break
            done += 1
            yield outcome
        status = workflow.recover(TABLE)
        yield Outcome(
            f"after {done - before} kills, left alone",
            f"{removed} results were to be made",
            "",
            f"exit {status}",
            status == 0 and workflow.table() == whole.table(),
            time.monotonic() - begin,
        )
        shutil.rmtree(workflow.folder, ignore_errors=True)  # jobs may still write


def remove(workflow, rng):
    """Remove the table and a random half of what leads to it; returns how many files."""
    folder = workflow.folder / "results" / "tiny"
    files = [p for p in sorted(folder.rglob("*")) if p.suffix in (".h5", ".parquet")]
    chosen = [folder / "summary.tsv", *rng.sample(files, len(files) // 2)]
    for path in chosen:
        path.unlink()
    return len(chosen)


def killed(workflow, whole, kind, rng):
    """Start, kill at a random moment of its work, and see that no wrong table is there.

    Returns None if the run ended before.
    """
    begin = time.monotonic()
    if workflow.locked():
        workflow.run("--unlock")
    process = workflow.start(TABLE)
    workflow.wait_for_lock(process)
    delay = rng.uniform(*DELAY)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(delay)
    if process.poll() is not None:
        return None
    below = kill(process, kind, rng)
    status = process.wait()
    return Outcome(
        f"kill -9 of {kind} after {delay:.0f} s",
        f"{below} processes below, exit {status}, {'' if workflow.locked() else 'not '}locked",
        f"{len(list(workflow.folder.rglob('.partial-*')))} partial files",
        "see below",
        workflow.table() in (None, whole.table()),
        time.monotonic() - begin,
    )
