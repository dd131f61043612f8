"""What every benchmark needs and records, and how it is written."""

import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gim.errors import InputError
from gim.files import write_text
from gim.provenance import commit, versions

REFERENCE = 500  # reference voxels of a fit, as the workflow has them
RESULTS = Path(__file__).parent / "results"
PACKAGES = (
    "numpy", "numba", "torch", "transformers", "tokenizers", "infini-gram", "himalaya",
)  # fmt: skip


def shared_folder() -> Path | None:
    """The optional folder of real corpora (GIM_SHARED, or ``../shared``)."""
    default = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("GIM_SHARED", default))
    return folder if folder.is_dir() else None


def corpora() -> Path:
    """The folder of `shared_folder`.

    Raises
    ------
    InputError
        If it is not there.
    """
    folder = shared_folder()
    if folder is None:
        raise InputError(
            "no folder of corpora and tokenizers. Remedy: put it beside the project as `shared`, "
            "or say where it is with GIM_SHARED"
        )
    return folder


def need(path: str | Path, command: str) -> Path:
    """A file that a command makes, as a path.

    Raises
    ------
    InputError
        If it is not there; it says the command.
    """
    if not Path(path).exists():
        raise InputError(f"{path}: it has not been made. Remedy: `{command}`")
    return Path(path)


def execute(benchmark: Callable[[], Any]) -> None:
    """Run a benchmark; wrong or missing input ends it with its message, without a traceback."""
    try:
        benchmark()
    except InputError as error:
        sys.exit(str(error))


def seconds(run: Callable[[], Any], repeats: int = 3) -> float:
    """Best CPU time of several runs: of this process, so that other load counts little."""
    best = float("inf")
    for _ in range(repeats):
        started = time.process_time()
        run()
        best = min(best, time.process_time() - started)
    return best


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of `work()`, and what it gives."""
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


def changes(r: np.ndarray, exact: np.ndarray, predicted: float) -> dict[str, float]:
    """By how much voxels' r, (n_voxels,), is not the exact one; those above `predicted` apart."""
    change, known = np.abs(r - exact), exact > predicted
    return {
        "r": float(r.mean()),
        "r_all_points": float(exact.mean()),
        "share_predicted": float(known.mean()),
        "change_99_percent_of_predicted": float(np.quantile(change[known], 0.99)),
        "change_99_percent": float(np.quantile(change, 0.99)),
        "change_largest": float(change.max()),
    }


def write(name: str, what: str, alternative: str, **figures: Any) -> None:
    """Print the record and write it to ``benchmarks/results/NAME.json``."""
    record = {
        "what": what,
        "alternative": alternative,
        **figures,
        "machine": machine(),
        "versions": versions(PACKAGES),
        "commit": commit(),
    }
    text = json.dumps(record, indent=2) + "\n"
    print(text)
    write_text(RESULTS / f"{name}.json", text)


def machine() -> dict[str, Any]:
    """Processor, cores, memory and the load while measuring."""
    processor = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        processor = lines[0].split(":", 1)[1].strip() if lines else processor
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = round(os.getloadavg()[0], 1)
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "threads": os.environ.get("OMP_NUM_THREADS", "default"),
        "load": load,
        "system": f"{platform.system()} {platform.release()}",
    }


if __name__ == "__main__":
    json.dump(machine(), sys.stdout, indent=2)
