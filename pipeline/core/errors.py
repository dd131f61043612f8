"""One way to say what is wrong with the input: file, place, problem, remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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
