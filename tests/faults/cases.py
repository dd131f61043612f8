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
SUBJECT = "results/tiny/sub-SIM01"
CUT = (
    f"{SUBJECT}/sub-SIM01_matcher-ngram_matches.parquet",
    f"{SUBJECT}/features/ngram.h5",
    f"{SUBJECT}/sub-SIM01_model-ngram_fit.h5",
    TABLE,
)
SAID = ("No space", "damaged", "Permission", "permission", "lock", "memory is exhausted", "rights")


def outcome(fault, happened, workflow, whole, begin, said, *targets, broke=True):
    """Run again, and compare."""
    early = workflow.table() in (None, whole.table())  # what is there after the fault
    status = workflow.recover(*targets)
    good = broke and early and status == 0 and workflow.table() == whole.table()
    return Outcome(fault, happened, said, f"exit {status}", good, time.monotonic() - begin)


def without_results(root, whole, name, *patterns):
    """A copy of the finished run that lacks some results."""
    workflow = Workflow.create(root / name, like=whole)
    for pattern in patterns:
        for path in workflow.folder.glob(f"results/tiny/{pattern}"):
            path.unlink()
    return workflow


def full_disk(root, whole):
    """Results on a file system that is too small, then is not."""
    for share in (0.2, 0.7):
        begin = time.monotonic()
        workflow = Workflow.create(root / f"full{share}")
        results = workflow.folder / "results"
        results.mkdir()
        size = int(share * whole.size())
        with mounted(results, size):
            status = workflow.run()
            said = workflow.said(*SAID)
            subprocess.run(["mount", "-o", "remount,size=1G", results], check=True)
            happened = f"{size / 1e6:.1f} MB of {whole.size() / 1e6:.1f}; exit {status}"
            fault = f"disk full at {share:.0%}"
            yield outcome(fault, happened, workflow, whole, begin, said, broke=status != 0)


@contextmanager
def mounted(folder, size):
    """A tmpfs of `size` bytes."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def truncated(root, whole):
    """An intermediate file cut at half: noticed by what reads it, named, made again."""
    for file in CUT:
        begin = time.monotonic()
        name = Path(file).name
        workflow = without_results(root, whole, f"cut-{name}", "report.html")
        path = workflow.folder / file
        os.truncate(path, path.stat().st_size // 2)
        half = path.read_bytes()
        status = workflow.run()
        said = workflow.said(*SAID)
        happened = f"exit {status}, {'put aside' if not path.exists() else 'LEFT'}"
        broke = status != 0 and workflow.table() in (None, half, whole.table())
        if file == TABLE and path.exists():  # the cut table must not be taken for one
            broke = False
        yield outcome(f"{name} cut at half", happened, workflow, whole, begin, said, broke=broke)


def read_only(root, whole):
    """Results that belong to root, a workflow run by nobody: nothing may change."""
    begin = time.monotonic()
    workflow = without_results(root, whole, "readonly", "summary.tsv")
    for path in [workflow.folder, *(workflow.folder / ".snakemake").rglob("*")]:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    os.chown(workflow.folder / ".snakemake", NOBODY, NOBODY)
    os.chown(workflow.folder / "log", NOBODY, NOBODY)
    before = fingerprint(workflow.folder / "results")
    status = workflow.run(user=NOBODY, group=NOBODY, extra_groups=[])
    same = fingerprint(workflow.folder / "results") == before
    happened = f"exit {status}, results {'untouched' if same else 'CHANGED'}"
    said = workflow.said(*SAID)
    yield outcome(
        "results read-only", happened, workflow, whole, begin, said, broke=status != 0 and same
    )


def fingerprint(folder):
    """Names and contents of all files."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return [(str(p), hashlib.sha256(p.read_bytes()).hexdigest()) for p in files]


def two_workflows(root, whole):
    """A second start in the same folder is refused, and the first one finishes."""
    begin = time.monotonic()
    workflow = without_results(root, whole, "two", "sub-SIM01/*_fit.h5", "summary.tsv")
    first = workflow.start(TABLE)
    while not workflow.locked() and first.poll() is None:
        time.sleep(0.1)
    second = workflow.run(TABLE)
    said = workflow.said(*SAID)
    status = first.wait()
    happened = f"first: exit {status}; second: exit {second}"
    broke = status == 0 and second != 0
    yield outcome("two in one folder", happened, workflow, whole, begin, said, broke=broke)


BALLAST = """

_whole, _blocks = fit_block, iter(range(1, 100))


def fit_block(problem, solver):
    if next(_blocks) == 2:
        ballast = np.ones({numbers})
    return _whole(problem, solver)
"""


def out_of_memory(root, whole):
    """The second block of voxels needs more memory than there is."""
    for fault, numbers, limited in (
        ("allocation fails in the second block", 8_000_000_000, address_space),
        ("kernel kills the second block", 400_000_000, memory_group),
    ):
        begin = time.monotonic()
        patterns = ("sub-SIM01/*model-ngram_fit.h5", "summary.tsv")
        workflow = without_results(root, whole, fault.split()[0], *patterns)
        code = workflow.folder / "pipeline" / "fit" / "run.py"
        text = code.read_text()
        code.write_text(text + BALLAST.format(numbers=numbers))
        with limited() as limit:
            status = workflow.run(preexec_fn=limit)
        said = workflow.said(*SAID, "Exited", "exit status", "signal", "died")
        code.write_text(text)
        happened = f"exit {status}"
        yield outcome(fault, happened, workflow, whole, begin, said, broke=status != 0)


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
