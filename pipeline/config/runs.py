"""What a table of runs says of a configuration: its subjects, its stories, whole runs in files."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.core.errors import Problem, ProblemError, some
from pipeline.dataset.grid import whole_story
from pipeline.dataset.runs import RunTable

# Where nothing else is said: the files hold whole runs, whose first volume is the grid's.
WHOLE_RUNS: dict[str, dict[str, Any]] = {
    "responses": {"volumes": None, "trimmed": False, "zscore": True},
    "timing": {"sound_start": 0, "unused_volumes": 0, "trim": [0, 0]},
}


def with_runs(config: Any) -> Any:
    """A configuration, not yet checked, with what its table of runs says and it does not.

    Subjects (all), training stories (those that do not test), stories that a subject has no
    responses to (`exclude`), and `WHOLE_RUNS`.

    Raises
    ------
    ProblemError
        If the table cannot be read.
    """
    if not isinstance(config, dict) or not isinstance(config.get("runs"), str):
        return config
    try:
        table = RunTable.read(expanded(config["runs"]))
    except ProblemError:
        # A finished run is read elsewhere, too, where the table is not; it says all this itself.
        if "subjects" in config and "train" in (config.get("stories") or ()):
            return config
        raise
    config = copy.copy(config)
    for key, implied in WHOLE_RUNS.items():
        if isinstance(given := config.get(key, {}), dict):
            config[key] = {**copy.deepcopy(implied), **given}
    stories = config.get("stories")
    if isinstance(stories, dict) and "train" not in stories and _are_names(stories.get("test")):
        blocks = config.get("blocks") or {}
        tested = {whole_story(name, blocks) for name in stories["test"]}
        train = [story for story in table.heard if story not in tested]
        config["stories"] = stories = {"train": train, **stories}
    subjects = config.get("subjects", dict.fromkeys(table.subjects))
    if isinstance(stories, dict) and isinstance(subjects, dict):
        config["subjects"] = {s: _lacking(s, of, table, config) for s, of in subjects.items()}
    return config


def broken_runs(config: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Place, problem and remedy of stories and subjects that the table of runs does not have."""
    if not config["runs"] or not Path(expanded(config["runs"])).is_file():
        return
    table = RunTable.read(expanded(config["runs"]))
    stories = [s for part in config["stories"].values() for s in part]
    for name in dict.fromkeys(whole_story(s, config["blocks"]) for s in stories):
        if name not in table.stories:
            what = f"the table of runs has no story {name!r}; there are {some(table.stories, 20)}"
            yield "stories", what, "add its runs, or remove the story"
        elif name not in table.heard:
            what = f"the table of runs has no responses to the story {name!r}"
            yield "stories", what, "add the files of its runs, or remove the story"
    for subject in config["subjects"]:
        if subject not in table.subjects:
            what = f"no subject {subject!r}; there are {some(table.subjects, 20)}"
            yield "subjects", f"the table of runs has {what}", "add its runs, or use one of these"


def broken_rows(config: Any) -> list[Problem]:
    """What is wrong with rows of the table of runs, which other problems may come from."""
    path = config.get("runs") if isinstance(config, dict) else None
    if not isinstance(path, str) or not Path(expanded(path)).is_file():
        return []
    return list(RunTable.read(expanded(path)).problems)


def expanded(path: str) -> str:
    """`path` with ~ and environment variables replaced."""
    return os.path.expanduser(os.path.expandvars(path))


def _lacking(subject: Any, options: Any, table: RunTable, config: dict[str, Any]) -> Any:
    """A subject's options with the stories that it lacks in the table excluded."""
    if subject not in table.subjects or not isinstance(options or {}, dict):
        return options
    given = (options or {}).get("exclude", [])
    parts = [part for part in config["stories"].values() if _are_names(part)]
    missing, blocks = table.missing(subject), config.get("blocks") or {}
    lacks = [s for part in parts for s in part if whole_story(s, blocks) in missing]
    if not isinstance(given, list) or not lacks:
        return options
    return {**(options or {}), "exclude": list(dict.fromkeys([*given, *lacks]))}


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)
