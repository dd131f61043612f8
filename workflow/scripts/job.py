"""What every rule's script does around its work: log, threads, clear failures.

Snakemake gives a script the object `snakemake` as a global name; from here it is imported with a
type.
"""

from __future__ import annotations

import atexit
import errno
import gc
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from threadpoolctl import threadpool_limits

import __main__
from gim.errors import InputError
from pipeline.core.errors import Problem
from pipeline.core.files import set_aside


class Job(Protocol):
    """What a script is given: files, parameters and wildcards by the names that its rule has."""

    input: Any
    output: Any
    params: Any
    wildcards: Any
    log: Any
    threads: int
    config: dict[str, Any]
    rule: str


snakemake: Job = getattr(__main__, "snakemake", None)  # type: ignore[assignment]  # None in tests
if snakemake is not None:
    # Looking for garbage took a quarter of a small job: among what it imports, and at its end.
    gc.disable()  # until the work begins
    atexit.register(gc.freeze)

# Faults of the machine, not ours and not the input's, and what to do about them.
REMEDIES = {
    errno.ENOSPC: "free some space, then run again",
    errno.EDQUOT: "free some of your quota, then run again",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f), then run again",
    errno.EACCES: "make it writable (chmod, chown), or run as its owner",
    errno.EPERM: "make it writable (chmod, chown), or run as its owner",
    errno.EROFS: "put the results on a file system that can be written to",
}
MEMORY = "lower fit.memory_gb or voxels_per_block, or give the job more memory, then run again"


@contextmanager
def work(job: Job) -> Iterator[None]:
    """Log to the rule's log and to stderr, give BLAS the rule's threads, say plainly what is wrong.

    Bad input (`InputError`), also an input that another job wrote and that has been damaged
    since, ends the job with its message instead of a traceback, and so do full disks, missing
    rights and exhausted memory. Any other exception is a fault of ours and keeps its traceback, in
    the log as well.

    Parameters
    ----------
    job : Job
        The object that Snakemake gives to scripts.
    """
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if job.log:
        handlers.append(logging.FileHandler(job.log[0], mode="w", encoding="utf-8"))
    logging.basicConfig(
        level=logging.INFO,
        format=f"%(asctime)s {job.rule}: %(message)s",
        datefmt="%H:%M:%S",
        handlers=handlers,
        force=True,
    )
    logging.captureWarnings(True)
    _collect_from_here()
    try:
        set_aside(job.input, f"results/{job.config['name']}")
        with threadpool_limits(job.threads):
            yield
    except InputError as error:
        logging.error("%s", error)
        sys.exit(1)
    except Exception as error:
        if problem := fault_of_machine(error, f"rule {job.rule}"):
            logging.error("%s", problem)
            sys.exit(1)
        logging.exception("failed")
        raise


def _collect_from_here() -> None:
    """Collect garbage from now on, but never look for it among what has been imported."""
    if not gc.isenabled():  # once, where several steps are one job
        gc.freeze()
        gc.enable()


def fault_of_machine(error: Exception, rule: str) -> Problem | None:
    """What to tell the user of a full disk, missing rights or exhausted memory; None of others."""
    text = str(error)
    # PyTorch has no class for it on the CPU.
    if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text:
        return Problem(rule, "", f"memory is exhausted ({text})", MEMORY)
    if not isinstance(error, OSError):
        return None
    # HDF5 says the number of the system's error in words only.
    said = [number for number in REMEDIES if f"errno = {number}," in text]
    number = error.errno if error.errno in REMEDIES else next(iter(said), None)
    if number is None:
        return None
    what = f"{os.strerror(number)} ({text.splitlines()[0]})"
    return Problem(error.filename or rule, "", what, REMEDIES[number])
