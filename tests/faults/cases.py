"""Faults other than kills: each breaks a run, then lets the next one do its work."""

import hashlib
import os
import resource
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from tests.faults.outcome import Outcome
from tests.faults.workflow import TABLE, Workflow

NOBODY = 65534
# Root without its right to ignore modes, so that a folder of another user's is read-only to it; the
# user nobody may not be able to start this Python.
MORTAL = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner,-chown")
SUBJECT = "results/tiny/sub-SIM01"
CUT = (
    f"{SUBJECT}/sub-SIM01_desc-ngram_matches.parquet",
    f"{SUBJECT}/features/ngram.h5",
    f"{SUBJECT}/sub-SIM01_desc-ngram_fit.h5",
    TABLE,
)
SAID = ("No space", "protected", "damaged", "cannot be locked", "memory is exhausted")


def outcome(fault, happened, workflow, whole, begin, said, *targets, broke=True):
    """Run again, and compare; a fault of which nothing was said is not the one that was meant."""
    early = workflow.table() in (None, whole.table())  # what is there after the fault
    status = workflow.recover(*targets)
    good = broke and bool(said) and early and status == 0 and workflow.table() == whole.table()
    return Outcome(fault, happened, said, f"exit {status}", good, time.monotonic() - begin)


def without_results(root, whole, name, *patterns):
    """A copy of the finished run that lacks some results."""
    workflow = Workflow.create(root / name, like=whole)
    for pattern in patterns:
        for path in workflow.folder.glob(f"results/tiny/{pattern}"):
            path.unlink()
    return workflow


def full_disk(root, whole):
    """Results on a file system that is full before the last files are made, then is not."""
    for fault, pattern in {"fits": "sub-SIM01/*_fit.h5", "features": "**/*.h5"}.items():
        begin = time.monotonic()
        workflow = without_results(root, whole, f"full-{fault}", pattern, "summary.tsv")
        with too_small(workflow.folder / "results") as free:
            status = workflow.run(TABLE)
            said = workflow.said(*SAID)
            subprocess.run(["mount", "-o", "remount,size=1G", workflow.folder / "results"])
            happened = f"{free / 1e3:.0f} kB free; exit {status}"
            broke = status != 0
            name = f"disk full while {fault} are made"
            yield outcome(name, happened, workflow, whole, begin, said, TABLE, broke=broke)


@contextmanager
def too_small(folder, free=150_000):
    """Move the folder onto a tmpfs that has room for `free` bytes more."""
    away = folder.with_name("away")
    folder.rename(away)
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1G", "tmpfs", folder], check=True)
    try:
        subprocess.run(["cp", "-a", f"{away}/.", folder], check=True)
        disk = os.statvfs(folder)
        used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize
        subprocess.run(["mount", "-o", f"remount,size={used + free}", folder], check=True)
        yield free
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def truncated(root, whole):
    """An intermediate file cut at half: noticed by what reads it, named, made again."""
    for file in CUT:
        begin = time.monotonic()
        name = Path(file).name
        targets = [TABLE] if file != TABLE else []
        workflow = without_results(root, whole, f"cut-{name}")
        path = workflow.folder / file
        os.truncate(path, path.stat().st_size // 2)
        half = path.read_bytes()
        status = workflow.run(*targets)
        said = workflow.said(*SAID)
        happened = f"exit {status}, {'put aside' if not path.exists() else 'LEFT'}"
        broke = status != 0 and workflow.table() in (None, half, whole.table())
        if file == TABLE and path.exists():  # the cut table must not be taken for one
            broke = False
        fault = f"{name} cut at half"
        yield outcome(fault, happened, workflow, whole, begin, said, *targets, broke=broke)


def read_only(root, whole):
    """Results that belong to somebody else: nothing may change."""
    begin = time.monotonic()
    workflow = without_results(root, whole, "readonly", "summary.tsv")
    results = workflow.folder / "results"
    for path in [results, *results.rglob("*")]:
        os.chown(path, NOBODY, NOBODY)
    before = fingerprint(results)
    status = workflow.run(TABLE, prefix=MORTAL)
    same = fingerprint(results) == before
    happened = f"exit {status}, results {'untouched' if same else 'CHANGED'}"
    said = workflow.said(*SAID)
    good = status != 0 and same
    yield outcome("results read-only", happened, workflow, whole, begin, said, TABLE, broke=good)


def fingerprint(folder):
    """Names and contents of all files."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return [(str(p), hashlib.sha256(p.read_bytes()).hexdigest()) for p in files]


def two_workflows(root, whole):
    """A second start in the same folder is refused, and the first one finishes."""
    begin = time.monotonic()
    workflow = without_results(root, whole, "two", "sub-SIM01/*_fit.h5", "summary.tsv")
    first = workflow.start(TABLE)
    workflow.wait_for_lock(first)
    second = workflow.run(TABLE)
    said = workflow.said(*SAID)
    status = first.wait()
    happened = f"first: exit {status}; second: exit {second}"
    broke = status == 0 and second != 0
    yield outcome("two in one folder", happened, workflow, whole, begin, said, TABLE, broke=broke)


BALLAST = """

_fit_without_ballast, _calls = fit_block, iter(range(1, 100))


def fit_block(problem, solver):
    if next(_calls) == 2:
        ballast = np.ones({numbers})
    return _fit_without_ballast(problem, solver)
"""


def out_of_memory(root, whole):
    """The second block of voxels needs more memory than there is."""
    for fault, numbers, limited, sign in (
        (
            "allocation fails in the second block",
            8_000_000_000,
            address_space,
            "memory is exhausted",
        ),
        ("kernel kills the second block", 400_000_000, memory_group, "SIGKILL"),
    ):
        begin = time.monotonic()
        patterns = ("sub-SIM01/*desc-ngram_fit.h5", "summary.tsv")
        workflow = without_results(root, whole, fault.split()[0], *patterns)
        code = workflow.folder / "pipeline" / "fit" / "run.py"
        text = code.read_text()
        code.write_text(text + BALLAST.format(numbers=numbers))
        with limited() as limit:
            status = workflow.run(TABLE, preexec_fn=limit)
        said = workflow.said(sign)
        code.write_text(text)
        happened = f"exit {status}"
        yield outcome(fault, happened, workflow, whole, begin, said, TABLE, broke=status != 0)


@contextmanager
def address_space():
    """At most 40 GB of addresses: a request for 64 GB is refused."""
    yield lambda: resource.setrlimit(resource.RLIMIT_AS, (40 * 10**9, 40 * 10**9))


@contextmanager
def memory_group():
    """At most 2 GB of memory for the run and its jobs, by a control group."""
    root = Path("/sys/fs/cgroup")
    old = root / "memory"
    group = (old if old.is_dir() else root) / "gim-faults"
    group.mkdir(exist_ok=True)
    name = "memory.limit_in_bytes" if old.is_dir() else "memory.max"
    (group / name).write_text(str(2 * 10**9))
    try:
        yield lambda: (group / "cgroup.procs").write_text(str(os.getpid()))
    finally:
        time.sleep(1)  # until its last process is gone
        group.rmdir()


CASES = {
    function.__name__.replace("_", "-"): function
    for function in (full_disk, truncated, read_only, two_workflows, out_of_memory)
}
