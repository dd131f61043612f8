"""What the benchmarks found, as one table: ``python -m benchmarks.table``.

A row is a file of benchmarks/results that compares two ways to do one thing: how often ours is as
fast as its named alternative, on which processor and under which load, and at which commit.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.common import RESULTS, execute

HEAD = "| benchmark | what | alternative | ratio | processor, load | commit |"
RATIO = "ratio"  # what the keys of ratios begin with
WANTED = "ratio_wanted"  # the goal


def ratios(record: dict[str, Any]) -> dict[str, float]:
    """The ratios of a record, by what they compare with ("" where there is only one)."""
    return {
        key.removeprefix(RATIO).strip("_").replace("_", " "): value
        for key, value in record.items()
        if key.startswith(RATIO) and key != WANTED and isinstance(value, int | float)
    }


def rows(folder: Path) -> list[str]:
    """A row of every record that has a ratio."""
    found = []
    for path in sorted(folder.glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        shown = [f"{name} {value:.3g}".strip() for name, value in ratios(record).items()]
        if shown:
            machine = record["machine"]
            cells = [
                path.stem,
                record["what"],
                record["alternative"],
                ", ".join(shown),
                f"{machine['processor']}, {machine['load']}",
                record["commit"][:7],
            ]
            found.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=RESULTS)
    print("\n".join([HEAD, "|---" * HEAD.count(" |") + "|", *rows(parser.parse_args().folder)]))


if __name__ == "__main__":
    execute(main)
