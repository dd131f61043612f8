"""What the checks of the input collect: problems, which stop the workflow, and warnings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.core.errors import Problem


@dataclass
class Findings:
    """Problems and warnings, in the order found.

    Parameters
    ----------
    problems : list of Problem
        What makes the input unusable.
    warnings : list of Problem
        What a user should know, though the workflow can run.
    """

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def problem(self, file: object, place: str, what: str, remedy: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(str(file), place, what, remedy))

    def warn(self, file: object, place: str, what: str, remedy: str) -> None:
        """Note a warning."""
        self.warnings.append(Problem(str(file), place, what, remedy))

    def add(self, other: Findings) -> None:
        """Append the findings of another check."""
        self.problems += other.problems
        self.warnings += other.warnings


def some(items: Iterable[object], n_shown: int = 5) -> str:
    """Name the first few items, and say how many more there are."""
    items = list(items)
    shown = ", ".join(str(item) for item in items[:n_shown])
    return shown if len(items) <= n_shown else f"{shown} and {len(items) - n_shown} more"
