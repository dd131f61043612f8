"""One way to say what is wrong with the input: file, place, problem, remedy; errors, and findings
that checks collect.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from gim.errors import InputError


@dataclass(frozen=True)
class Problem:
    """Something a user can mend.

    Parameters
    ----------
    file : str or Path
        The file at fault.
    place : str
        Where in the file (a line, a key, a dataset, a story); may be empty.
    what : str
        What is wrong, in plain words.
    remedy : str
        What to do about it.
    """

    file: str | Path
    place: str
    what: str
    remedy: str

    def __str__(self) -> str:
        place = f" [{self.place}]" if self.place else ""
        return f"{self.file}{place}: {self.what}. Remedy: {self.remedy}."


class LeakError(RuntimeError):
    """Something reaches a prediction that must not; its message lists all that was found."""

    def __init__(self, leaks: Iterable[str]) -> None:
        self.leaks = list(leaks)
        super().__init__("\n".join(["leaks were found:", *(f"  - {leak}" for leak in self.leaks)]))


class ProblemError(InputError):
    """All that is wrong with the input; the message lists every problem, one a line."""

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems = [problems] if isinstance(problems, Problem) else list(problems)
        head = f"{len(self.problems)} problem(s) in the input:"
        super().__init__("\n".join([head, *(f"  - {p}" for p in self.problems)]))


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


def repeated(names: Iterable[str]) -> list[str]:
    """The names that are there more than once, sorted."""
    return sorted(name for name, count in Counter(names).items() if count > 1)


def some(items: Iterable[object], n_shown: int = 5) -> str:
    """Name the first few items, and say how many more there are."""
    items = list(items)
    shown = ", ".join(str(item) for item in items[:n_shown])
    return shown if len(items) <= n_shown else f"{shown} and {len(items) - n_shown} more"
