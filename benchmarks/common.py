"""What every benchmark does with its figures: print them, and write them with the machine's."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

from pipeline.atomic import write_text
from pipeline.provenance import PACKAGES, commit, versions

RESULTS = Path(__file__).parent / "results"


def write_result(name: str, figures: dict[str, Any]) -> None:
    """Print `figures` and write them as benchmarks/results/NAME.json.

    Parameters
    ----------
    name : str
        Name of the benchmark.
    figures : dict
        What was timed, the named alternative, and their ratio.
    """
    record = figures | {
        "machine": {"cores": os.cpu_count(), "processor": _processor(), "load": os.getloadavg()},
        "versions": versions(PACKAGES),
        "commit": commit(),
    }
    text = json.dumps(record, indent=1)
    print(text)
    write_text(RESULTS / f"{name}.json", text + "\n")


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    names = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.split(":")[1].strip() for line in names if line.startswith("model name")]
    return models[0] if models else platform.processor()
