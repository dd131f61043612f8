"""How many volumes were scanned for each story: as the dataset says, or as its responses have."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

from pipeline.core.errors import Findings, Problem, ProblemError, repeated
from pipeline.core.files import file_problem
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.grid import Grid, whole_story
from pipeline.readers.formats import shape_of
from pipeline.validation.majority import odd_ones
from pipeline.validation.records import Heard, Stimulus

_ONE_LENGTH = "cut the runs to one length, the story's words lie on one grid"


def count_volumes(dataset: Dataset, heard: Iterable[Heard]) -> dict[str, int]:
    """Scanned volumes of every story by its responses, where no file of the dataset says them.

    Raises
    ------
    ProblemError
        If a file cannot be read, or subjects have different numbers of rows for a story.
    """
    files: dict[str, dict[str, tuple[int, Path]]] = {}  # story to subject to rows and file
    problems: list[Problem] = []
    for each in sorted(heard, key=attrgetter("subject")):
        problems += each.unreadable
        for one in each.recordings:
            try:
                n_rows, _ = shape_of(one.path, each.options)
            except ProblemError as error:
                problems += error.problems
            else:
                story = whole_story(one.story, dataset.blocks)
                files.setdefault(story, {})[each.subject] = n_rows, one.path
    for story, found in sorted(files.items()):
        odd, said = odd_ones({subject: n_rows for subject, (n_rows, _) in found.items()})
        for n_rows, path in map(found.__getitem__, odd):
            what = f"{n_rows} rows, but subjects should agree: {said}"
            problems.append(Problem(path, f"story {story}", what, _ONE_LENGTH))
    if problems:
        raise ProblemError(problems)
    return {
        story: dataset.n_scanned(next(iter(found.values()))[0])
        for story, found in sorted(files.items())
    }


def check_volumes(
    dataset: Dataset, names: Iterable[str], heard: Iterable[Heard], findings: Findings
) -> list[Stimulus]:
    """Check the volume counts; the stories of these names, with TR grids where the counts are well.

    Parameters
    ----------
    dataset : Dataset
        Where the counts are.
    names : iterable of str
        Stories and blocks of stories.
    heard : iterable of Heard
        Every subject's responses, which are counted if the dataset has no file of counts.
    findings : Findings
        Where problems are noted.
    """
    path, counts = _volumes(dataset, heard, findings)
    return [
        Stimulus(
            name=name,
            transcript=dataset.transcript(name),
            grid=_grid(dataset, name, path, counts, findings) if counts else None,
        )
        for name in names
    ]


def _volumes(
    dataset: Dataset, heard: Iterable[Heard], findings: Findings
) -> tuple[Path, dict[str, Any]]:
    """Where scanned volumes are counted, and the counts; none and problems if that fails."""
    if given := dataset.given_volumes:
        return Path("responses.volumes"), given
    if dataset.responses_as["volumes"]:
        return dataset.respdict, _read_respdict(dataset.respdict, findings)
    try:
        return dataset.root, count_volumes(dataset, heard)
    except ProblemError as error:
        findings.problems += error.problems
        return dataset.root, {}


def _grid(
    dataset: Dataset, name: str, path: Path, counts: Mapping[str, Any], findings: Findings
) -> Grid | None:
    """The TR grid of a story; None and a problem if its count is missing or leaves no row."""
    story = whole_story(name, dataset.blocks)
    if story not in counts:
        what = "the story is not listed"
        findings.problem(path, story, what, "add its number of scanned volumes")
        return None
    count = counts[story]
    if type(count) is not int or count <= 0:
        what = f"{count!r} is not a number of volumes"
        findings.problem(path, story, what, "give the number of scanned volumes")
        return None
    grid = dataset.grid_of(name, count)
    if grid.n_rows < 1:
        what = f"{count} volumes leave no row after trimming"
        remedy = "correct it, or `timing` or `blocks` in the configuration"
        findings.problem(path, name, what, remedy)
        return None
    return grid


def _read_respdict(path: Path, findings: Findings) -> dict[str, Any]:
    """Volume counts as they stand in the file, empty and a problem if it is damaged."""
    if problem := file_problem(path):
        findings.problems.append(problem)
        return {}
    try:
        text = path.read_text(encoding="utf-8")
        counts = json.loads(text, object_pairs_hook=partial(_unique, path, findings))
    except (ValueError, RecursionError) as error:  # of JSON and of its encoding
        findings.problem(path, "", f"not JSON ({error})", "fetch the file again")
        return {}
    if not isinstance(counts, dict):
        findings.problem(path, "", "not an object of story: volumes", "fetch the file again")
        return {}
    return counts


def _unique(path: Path, findings: Findings, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; a key that is listed twice is a problem."""
    for name in repeated(name for name, _ in pairs):
        findings.problem(path, name, "the story is listed twice", "leave the right one of them")
    return dict(pairs)
