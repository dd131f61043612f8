"""Fetch what a configuration needs, and no more: files of a dataset, and language models.

git-annex fetches into a clone where both are there; plain HTTPS does everywhere, with sizes and
checksums from the annex's keys.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from tqdm import tqdm

from pipeline.core.errors import Problem, ProblemError
from pipeline.fetch.clone import annex_get
from pipeline.fetch.https import download
from pipeline.fetch.models import fetch_models
from pipeline.fetch.plan import Missing, check_keys, check_space, gigabytes, missing_files, total
from pipeline.validation.manifest import input_files


def fetch(config: dict[str, Any], jobs: int = 1) -> None:
    """Fetch the files under `data_root` that a run needs, then its models.

    What is there is verified; what is missing or damaged is fetched. The space needed is said, and
    checked, first.

    Parameters
    ----------
    config : dict
        Complete configuration with `fetch`.
    jobs : int
        Files fetched at a time.

    Raises
    ------
    ProblemError
        With all the files that could not be fetched.
    """
    options, root = config["fetch"], Path(config["data_root"])
    if "$" in str(root):
        remedy = "set the environment variable, as in `DS003020=/data/ds003020 snakemake fetch`"
        raise ProblemError(Problem(root, "data_root", "a variable is not set", remedy))
    own = [Path(config["runs"])] if config["runs"] else []  # no dataset has the table of its runs
    wanted = [p for p in input_files(config) if p.is_relative_to(root) and p not in own]
    sources = options["files"], options["pointers"], jobs
    missing = missing_files(root, wanted, *sources)
    free = check_space(root, total(missing), f"the dataset {root}")
    logging.info(
        "%s: %d of %d files to fetch, %s (%s free)",
        root, len(missing), len(wanted), gigabytes(total(missing)), gigabytes(free),
    )  # fmt: skip
    if missing and options["annex"] and annex_get(root, [file.path for file in missing], jobs):
        missing = missing_files(root, [file.path for file in missing], *sources)
    check_keys(missing)
    _download_all(missing, jobs)
    if options["models"]:
        fetch_models(config)


def _download_all(missing: Sequence[Missing], jobs: int) -> None:
    """Download files, some at a time; go on after a failure, and raise at the end."""
    problems = []
    bar = tqdm(total=total(missing), unit="B", unit_scale=True, disable=not sys.stderr.isatty())
    with bar, ThreadPoolExecutor(jobs) as pool:
        running = {
            pool.submit(download, file.url, file.target, file.key, bar.update): file
            for file in missing
        }
        for done, future in enumerate(as_completed(running), start=1):
            try:
                future.result()
            except ProblemError as error:
                problems += error.problems
            except OSError as error:  # a full disk, no permission
                remedy = "make room or set the permissions, then run it again"
                what = f"it cannot be written ({error.strerror or error})"
                problems.append(Problem(running[future].target, "", what, remedy))
            else:
                path = running[future].path
                size = gigabytes(path.stat().st_size)
                logging.info("%d of %d: %s, %s", done, len(missing), path, size)
    if problems:
        raise ProblemError(problems)
