"""The table of runs: which file is whose response to which story, whatever files are called.

A TSV with a row for each run of each subject. Paths are relative to the table; a wildcard in one
stands for exactly one file (or one pair of hemispheres). A row without responses is a gap that is
known: the subject did not hear the story.
"""

from __future__ import annotations

import glob
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.errors import Problem, ProblemError, some
from pipeline.readers.delimited import line_of, numbers, read_delimited
from pipeline.readers.hemispheres import as_pair

if TYPE_CHECKING:
    import pandas as pd

PATHS = ("responses", "transcript", "confounds", "events")
COLUMNS = ("subject", "session", "run", "story", "responses", "transcript", "start", *PATHS[2:])
NEEDED = ("subject", "story", "responses")
SAME_START = 0.05  # seconds; the words of a story lie on one clock for all subjects
LABEL = re.compile(r"[A-Za-z0-9]{1,80}")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One row of the table.

    Parameters
    ----------
    subject, story : str
        Who heard what.
    session, run : str or None
        As BIDS names them.
    responses, transcript, confounds, events : Path or None
        Files; of two hemispheres the left one. Without responses the row is a gap.
    start : float or None
        Seconds from the run's first volume to the start of the sound.
    place : str
        Where the row stands, for error messages.
    """

    subject: str
    story: str
    place: str
    session: str | None = None
    run: str | None = None
    responses: Path | None = None
    transcript: Path | None = None
    confounds: Path | None = None
    events: Path | None = None
    start: float | None = None

    @property
    def words(self) -> Path | None:
        """Where the words are: the transcript, or else the events."""
        return self.transcript or self.events


@dataclass(frozen=True)
class RunTable:
    """All runs of a dataset.

    Parameters
    ----------
    path : Path
        The table.
    runs : tuple of Run
        Its rows, gaps among them.
    problems : tuple of Problem
        What is wrong with single rows, which the validation tells with all else.
    """

    path: Path
    runs: tuple[Run, ...]
    problems: tuple[Problem, ...] = ()

    @classmethod
    def read(cls, path: str | Path) -> RunTable:
        """Read a table, and find the files of its wildcards, once while it does not change.

        Raises
        ------
        ProblemError
            If there is no such table, it lacks a column or has one that is not known, or no run.
        """
        try:
            changed = os.stat(path).st_mtime_ns
        except OSError as error:
            what = f"there is no table of runs ({error.strerror})"
            remedy = "write one, or let `python -m pipeline.runs` write it from a BIDS tree"
            raise ProblemError(Problem(path, "runs", what, remedy)) from error
        return _read(Path(path), changed)

    @cached_property
    def _heard(self) -> dict[tuple[str, str], Run]:
        return {(run.subject, run.story): run for run in self.recorded}

    @property
    def recorded(self) -> list[Run]:
        """The runs that have responses."""
        return [run for run in self.runs if run.responses is not None]

    @property
    def subjects(self) -> list[str]:
        """Subjects in their order."""
        return list(dict.fromkeys(run.subject for run in self.runs))

    @property
    def stories(self) -> list[str]:
        """Stories in their order."""
        return list(dict.fromkeys(run.story for run in self.runs))

    @property
    def heard(self) -> list[str]:
        """Stories that some subject has responses to."""
        return list(dict.fromkeys(run.story for run in self.recorded))

    def missing(self, subject: str) -> list[str]:
        """Stories that the subject has no responses to."""
        return [story for story in self.stories if (subject, story) not in self._heard]

    def of(self, subject: str, story: str) -> Run:
        """The run of a subject and story.

        Raises
        ------
        ProblemError
            If there is none.
        """
        if (subject, story) not in self._heard:
            what = f"there is no run of {subject} and {story}"
            remedy = f"add it, or exclude the story (`subjects.{subject}.exclude`)"
            raise ProblemError(Problem(self.path, "", what, remedy))
        return self._heard[subject, story]

    def of_story(self, story: str) -> list[Run]:
        """The recorded runs of a story.

        Raises
        ------
        ProblemError
            If there are none.
        """
        found = [run for run in self.recorded if run.story == story]
        if not found:
            what, remedy = f"there is no run of the story {story!r}", "add its runs, or remove it"
            known = f"there are {some(self.stories, 20)}"
            raise ProblemError(Problem(self.path, "", f"{what}; {known}", remedy))
        return found

    def words(self, story: str) -> Path:
        """The transcript of a story; the table itself where no row names one."""
        return next((run.words for run in self.of_story(story) if run.words), self.path)

    def start(self, story: str) -> float | None:
        """Seconds from the first volume to the start of the sound, where the table says it."""
        starts = (run.start for run in self.of_story(story))
        return next((start for start in starts if start is not None), None)


@lru_cache(maxsize=8)
def _read(path: Path, changed: int) -> RunTable:
    table = read_delimited(path)
    wrong = [(f"there is no column {name!r}", name) for name in NEEDED if name not in table]
    names = [str(name) for name in table]
    wrong += [(f"unknown column {name!r}", name) for name in names if name not in COLUMNS]
    if wrong:
        remedy = f"the columns of a table of runs are {', '.join(COLUMNS)}"
        raise ProblemError([Problem(path, f"line 1, {name}", what, remedy) for what, name in wrong])
    problems: list[Problem] = []
    runs = tuple(_runs(path, table, problems))
    if all(run.responses is None for run in runs):
        what = "no row names responses of a subject to a story"
        raise ProblemError([*problems, Problem(path, "responses", what, "name each run's file")])
    problems += [*_twice(path, runs), *_disagreeing(path, runs)]
    return RunTable(path, runs, tuple(problems))


def _runs(path: Path, table: pd.DataFrame, problems: list[Problem]) -> Iterator[Run]:
    """The rows that say whose they are and of what."""
    starts = numbers(table["start"]).tolist() if "start" in table else [None] * len(table)
    for start, (index, row) in zip(starts, table.iterrows(), strict=True):
        line = f"line {line_of(int(str(index)))}"
        cells = {name: cell for name, cell in row.items() if isinstance(cell, str)}
        subject, story = cells.get("subject", ""), cells.get("story", "")
        if not LABEL.fullmatch(subject) or not story:
            what = f"the subject is {subject or 'n/a'!r}, the story {story or 'n/a'!r}"
            remedy = "name both (a subject with letters and digits only), or remove the row"
            problems.append(Problem(path, line, what, remedy))
            continue
        files = {
            name: _file(path, f"{line}, {name}", cells[name], problems)
            for name in PATHS
            if name in cells
        }
        told = start if "start" in cells else None
        if told is not None and not math.isfinite(told):
            what = f"{cells['start']!r} is no number of seconds"
            problems.append(Problem(path, f"{line}, start", what, "give seconds, or n/a"))
            told = None
        if "responses" in files and not {"transcript", "events"} & set(files):
            what = f"the run of {subject} and {story} has neither transcript nor events"
            problems.append(Problem(path, line, what, "name where its words are"))
        place = f"{line}: {subject}, {story}"
        named = {key: cells.get(key) for key in ("session", "run")}
        yield Run(subject=subject, story=story, place=place, start=told, **named, **files)  # type: ignore[arg-type]


def _file(path: Path, place: str, cell: str, problems: list[Problem]) -> Path:
    """The file that a cell names; the cell's own words where a wildcard finds none or several."""
    cell = os.path.expandvars(os.path.expanduser(cell))
    named = os.path.normpath(path.parent / cell)
    if not glob.has_magic(cell):
        return Path(named)
    pattern = os.path.join(glob.escape(str(path.parent)), cell)
    found = as_pair(sorted(Path(os.path.normpath(name)) for name in glob.glob(pattern)))
    if len(found) == 1:
        return found[0]
    if found:
        what = f"{len(found)} files for one run: {some(file.name for file in found)}"
        remedy = "write more of the name, so that one file has it"
    else:
        what, remedy = f"no file is called {named}", "correct the name, or write n/a for a gap"
    problems.append(Problem(path, place, what, remedy))
    return Path(named)


def _twice(path: Path, runs: tuple[Run, ...]) -> Iterator[Problem]:
    """Rows that tell of one subject and story, or name one file, again."""
    heard: dict[tuple[str, str], Run] = {}
    files: dict[Path, Run] = {}
    for run in (run for run in runs if run.responses is not None):
        if (other := heard.setdefault((run.subject, run.story), run)) is not run:
            what = f"two files for one run: the story stands in {other.place}, too"
            remedy = "remove one, or give the repetition a name of its own"
            yield Problem(path, run.place, what, remedy)
        elif (other := files.setdefault(run.responses, run)) is not run:  # type: ignore[arg-type]
            what = f"the responses are those of {other.place}"
            yield Problem(path, run.place, what, "name each run's own file")


def _disagreeing(path: Path, runs: tuple[Run, ...]) -> Iterator[Problem]:
    """Rows of one story with other words, or another start, than its first row."""
    first: dict[str, Run] = {}
    for run in (run for run in runs if run.responses is not None):
        told = first.setdefault(run.story, run)
        if run.transcript != told.transcript:
            what = f"the transcript is {run.transcript or 'n/a'}, in {told.place} another"
            yield Problem(path, run.place, what, "a story has one transcript for all subjects")
        if (run.start is None) != (told.start is None) or (
            run.start is not None
            and told.start is not None
            and abs(run.start - told.start) > SAME_START
        ):
            what = f"the sound starts at {run.start} s, in {told.place} at {told.start} s"
            remedy = "cut the runs so that it starts at the same time in all; or give stories names"
            yield Problem(path, run.place, what, remedy)
