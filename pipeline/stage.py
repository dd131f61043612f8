"""What every rule's script does around its work: log, threads, clear failures."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from threadpoolctl import threadpool_limits

from gim.errors import InputError as LibraryInputError
from pipeline.errors import InputError


@contextmanager
def stage(snakemake: Any) -> Iterator[None]:
    """Log to the rule's log and to stderr, give BLAS the rule's threads, say plainly what is wrong.

    Bad input (`InputError`) ends the job with its message instead of a traceback; any other
    exception is a fault of ours and keeps its traceback, in the log as well.

    Parameters
    ----------
    snakemake : snakemake.script.Snakemake
        The object that Snakemake gives to scripts.
    """
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if snakemake.log:
        handlers.append(logging.FileHandler(snakemake.log[0], mode="w", encoding="utf-8"))
    logging.basicConfig(
        level=logging.INFO,
        format=f"%(asctime)s {snakemake.rule}: %(message)s",
        datefmt="%H:%M:%S",
        handlers=handlers,
        force=True,
    )
    logging.captureWarnings(True)
    try:
        with threadpool_limits(snakemake.threads):
            yield
    except (InputError, LibraryInputError) as error:
        logging.error("%s", error)
        sys.exit(1)
    except Exception:
        logging.exception("failed")
        raise
