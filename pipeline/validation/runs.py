"""Checks of runs beside each other: what their files must agree on, and the table of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd
from nibabel.cifti2 import BrainModelAxis

from pipeline.core.errors import Findings, Problem, ProblemError, some
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.runs import Run, RunTable
from pipeline.readers.formats import RESPONSES, read_transcript, suffix, vertices_of
from pipeline.readers.sidecar import sidecar_of
from pipeline.validation.records import Heard

SAME_TIME = 0.05  # seconds; of a word in the events of two runs, and of what volumes stand for
_SPACE = re.compile(r"(?:^|_)space-([A-Za-z0-9]+)")


def check_runs(
    dataset: Dataset, heard: Sequence[Heard], masks: Mapping[str, Path], findings: Findings
) -> None:
    """Check what files of responses must agree on, and the table of runs where there is one.

    Parameters
    ----------
    dataset : Dataset
        With its `runs`.
    heard : sequence of Heard
        What each subject of the configuration heard.
    masks : mapping of str to Path
        Mask of each subject, where there are any.
    findings : Findings
        Where problems and warnings are noted.
    """
    files = {each.subject: [one.path for one in each.recordings] for each in heard}
    findings.problems += [*_spaces(files, masks), *_brain_models(files)]
    if (table := dataset.runs) is None:
        _warn_of_clock(files, float(dataset.timing["tr"]), findings)
        return
    findings.problems += table.problems
    used = [run for run in table.recorded if run.subject in files]
    _warn_of_gaps(table, list(files), findings)
    findings.problems += [*_formats(table, used), *_clocks(used), *_events(dataset, used)]


def _warn_of_gaps(table: RunTable, subjects: list[str], findings: Findings) -> None:
    for subject in subjects:
        if missing := table.missing(subject):
            what = f"{subject} has no responses to {some(missing, 10)}"
            remedy = "nothing, if these were not heard (or not kept); else add their files"
            findings.warn(table.path, f"subject {subject}", what, remedy)


def _formats(table: RunTable, runs: list[Run]) -> Iterator[Problem]:
    """Runs in another format than the first."""
    kinds = {run: RESPONSES.get(suffix(str(run.responses), RESPONSES)) for run in runs}
    first = next(iter(kinds), None)
    for run, kind in kinds.items():
        if first is not None and kind is not kinds[first]:
            what = f"{Path(str(run.responses)).name} is in another format than {first.place}"
            yield Problem(table.path, run.place, what, "give all runs in one format")


def _clocks(runs: list[Run]) -> Iterator[Problem]:
    """Sidecars that cannot be read, or whose volumes stand for other times than a story's first."""
    first: dict[str, tuple[Run, float | None]] = {}
    for run in runs:
        try:
            told = sidecar_of(str(run.responses)).start_time
        except ProblemError as error:
            yield from error.problems
            continue
        other, expected = first.setdefault(run.story, (run, told))
        if (told is None) != (expected is None) or abs((told or 0) - (expected or 0)) > SAME_TIME:
            what = f"StartTime is {told} s in the sidecar, in that of {other.place} {expected} s"
            remedy = "correct the slices' timing in the same way in all runs of a story"
            yield Problem(str(run.responses), "sidecar", what, remedy)


def _warn_of_clock(files: Mapping[str, list[Path]], tr: float, findings: Findings) -> None:
    """Say that sidecars tell of another time than a volume's middle, which patterns do not hear."""
    for path in (path for paths in files.values() for path in paths):
        try:
            told = sidecar_of(path).start_time
        except ProblemError as error:
            findings.problems += error.problems
            continue
        if told is not None and abs(told - tr / 2) > SAME_TIME:
            what = f"StartTime is {told:g} s: volumes stand for this time, not the middle of the TR"
            remedy = f"add {tr / 2 - told:g} s to `timing.sound_start`, or give a table of runs"
            findings.warn(path, "sidecar", what, remedy)
            return  # one is like the others


def _spaces(files: Mapping[str, list[Path]], masks: Mapping[str, Path]) -> Iterator[Problem]:
    """Runs whose names say another space than the names of their masks, or of the first run."""
    for subject, paths in files.items():
        of_mask = _space(masks.get(subject, Path()))
        first = next((path for path in paths if _space(path)), Path())
        for path in filter(_space, paths):
            if of_mask and _space(path) != of_mask:
                what = f"the run is in the space {_space(path)}, the mask in {of_mask}"
                remedy = f"give the mask of this space instead of {masks[subject]}"
                yield Problem(path, "mask", what, remedy)
            elif _space(path) != _space(first):
                what = f"the run is in the space {_space(path)}, {first.name} in {_space(first)}"
                yield Problem(path, "space", what, "give all runs of a subject in one space")


def _space(path: Path) -> str:
    """The space that a file's name says; empty where it says none."""
    match = _SPACE.search(path.name)
    return match[1] if match else ""


def _brain_models(files: Mapping[str, list[Path]]) -> Iterator[Problem]:
    """CIFTI runs of a subject with as many grayordinates as the first, but others."""
    for paths in files.values():
        first: tuple[Path, BrainModelAxis | None] | None = None
        for path in (path for path in paths if suffix(path, RESPONSES) == ".dtseries.nii"):
            try:
                axis = vertices_of(path).axis
            except ProblemError:
                continue  # which is told where its values are read
            other, expected = first = first or (path, axis)
            if axis is None or expected is None or len(axis) != len(expected):
                continue  # numbers that differ are told elsewhere
            if axis != expected:
                what = f"the brain models are not those of {other}"
                yield Problem(path, "header", what, "give all runs on the same grayordinates")


def _events(dataset: Dataset, runs: list[Run]) -> Iterator[Problem]:
    """Events, where these are the transcripts, that differ from those of a story's first run."""
    texts: dict[tuple[str, bytes], Path] = {}  # most subjects' are the same file
    for run in (run for run in runs if run.transcript is None and run.words):
        if (path := Path(str(run.events))).is_file():
            texts.setdefault((run.story, path.read_bytes()), path)
    first: dict[str, tuple[Path, pd.DataFrame]] = {}
    for (story, _), path in texts.items():
        try:
            words = read_transcript(path, dataset.transcripts)
        except ProblemError as error:
            yield from error.problems
            continue
        other, expected = first.setdefault(story, (path, words))
        same_words = words["word"].tolist() == expected["word"].tolist()
        if not same_words or (words["onset"] - expected["onset"]).abs().max() > SAME_TIME:
            what = f"the words, or their times, are not those of {other}"
            remedy = "cut the runs of a story so that it starts at the same volume in all"
            yield Problem(path, "events", what, remedy)
