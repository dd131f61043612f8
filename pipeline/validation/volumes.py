"""How many volumes were scanned for each story: as the dataset says, or as its responses have."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.config.stories import all_stories, subjects_and_stories
from pipeline.core.errors import InputError, Problem
from pipeline.core.files import file_problem
from pipeline.core.findings import Findings
from pipeline.dataset.blocks import whole_story
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.grid import Grid
from pipeline.dataset.prepare import reading_options
from pipeline.readers.formats import shape_of


def count_volumes(config: dict[str, Any]) -> dict[str, int]:
    """Scanned volumes of every story by its responses, where no file of the dataset says them.

    Raises
    ------
    InputError
        If a file cannot be read, or subjects have different numbers of rows for a story.
    """
    dataset = Dataset.from_config(config)
    heard = {
        (subject, whole_story(story, config["blocks"]))
        for subject, story in subjects_and_stories(config)
    }
    rows: dict[str, dict[int, str]] = {}
    problems = []
    for subject, story in sorted(heard):
        path = dataset.source(subject, story)
        try:
            n_rows, _ = shape_of(path, reading_options(config, subject))
        except InputError as error:
            problems += error.problems
            continue
        rows.setdefault(story, {}).setdefault(n_rows, subject)
        if len(rows[story]) > 1:
            first, *_ = rows[story]
            what = f"{n_rows} rows, but {first} for {rows[story][first]}"
            remedy = "cut the runs to one length, the story's words lie on one grid"
            problems.append(Problem(path, f"story {story}", what, remedy))
    if problems:
        raise InputError(problems)
    return {story: dataset.n_scanned(next(iter(found))) for story, found in rows.items()}


def check_volumes(config: dict[str, Any], dataset: Dataset, findings: Findings) -> dict[str, Grid]:
    """The TR grids of the stories whose volume counts are well."""
    if config["responses"]["volumes"]:
        path, counts = dataset.respdict, _read_respdict(dataset.respdict, findings)
    else:
        path, counts = dataset.root, {}
        try:
            counts = count_volumes(config)
        except InputError as error:
            findings.problems += error.problems
    grids = {}
    for name in all_stories(config) if counts else ():
        story = whole_story(name, config["blocks"])
        if story not in counts:
            what = "the story is not listed"
            findings.problem(path, story, what, "add its number of scanned volumes")
        elif type(counts[story]) is not int or counts[story] <= 0:
            what = f"{counts[story]!r} is not a number of volumes"
            findings.problem(path, story, what, "give the number of scanned volumes")
        elif (grid := dataset.grid_of(name, counts[story])).n_rows < 1:
            what = f"{counts[story]} volumes leave no row after trimming"
            remedy = "correct it, or `timing` or `blocks` in the configuration"
            findings.problem(path, name, what, remedy)
        else:
            grids[name] = grid
    return grids


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
    names = [name for name, _ in pairs]
    for name in sorted({name for name in names if names.count(name) > 1}):
        findings.problem(path, name, "the story is listed twice", "leave the right one of them")
    return dict(pairs)
