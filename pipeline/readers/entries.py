"""The entries of a transcript, rows or intervals, by the names that error messages give them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.core.errors import Problem

MAX_FAULTS = 10  # faults of one kind listed per file


@dataclass(frozen=True)
class Entries:
    """Where the entries of a transcript stand, for error messages.

    Parameters
    ----------
    path : Path
        The file.
    place : str
        The part of it that holds them: a tier, the table.
    shown : callable
        Names an entry by its index.
    """

    path: Path
    place: str
    shown: Callable[[int], str]

    def problem(self, index: int, what: str, remedy: str) -> Problem:
        """What is wrong with one entry, and what to do about it."""
        return Problem(self.path, f"{self.place}, {self.shown(index)}", what, remedy)


def fault_problems(entries: Entries, faults: dict[str, np.ndarray], remedy: str) -> list[Problem]:
    """One problem for each faulty entry, the first `MAX_FAULTS` of each kind.

    Parameters
    ----------
    entries : Entries
        Where the entries are.
    faults : dict of str to bool array of shape (n_entries,)
        What is wrong, and with which entries.
    remedy : str
        What to do about it.
    """
    problems = []
    for what, where in faults.items():
        indices = np.flatnonzero(where)
        problems += [entries.problem(i, what, remedy) for i in indices[:MAX_FAULTS]]
        if len(indices) > MAX_FAULTS:
            more = f"{what}: {len(indices) - MAX_FAULTS} more such intervals"
            problems.append(Problem(entries.path, entries.place, more, remedy))
    return problems
