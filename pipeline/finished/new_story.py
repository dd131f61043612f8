"""A story that a run never had, as its features see it."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.config.stories import training_stories
from pipeline.core.errors import Problem, ProblemError
from pipeline.dataset.clean import read_nuisance
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.grid import Grid
from pipeline.dataset.prepare import by_name, reading_options, ready
from pipeline.dataset.story import Story
from pipeline.readers.formats import has_regions, open_responses, read_transcript

FEW = 100  # rows below which z-scores of a story say more of the story than of its words


@dataclass(frozen=True)
class NewStory:
    """A story and, where there are any, a subject's responses to it.

    Parameters
    ----------
    story : Story
        Words and TR grid.
    responses : array of shape (n_rows, n_voxels), or None
        Ready as those of the run are.
    """

    story: Story
    responses: np.ndarray | None = None


def read_new_story(
    dataset: Dataset,
    config: dict[str, Any],
    subject: str,
    transcript: str | Path,
    *,
    responses: str | Path | None = None,
    n_rows: int | None = None,
    name: str | None = None,
) -> NewStory:
    """Read a transcript (and responses) as the run reads its own.

    Parameters
    ----------
    dataset : Dataset
        The run's.
    config : dict
        The run's configuration.
    subject : str
        Whose responses.
    transcript : path
        The transcript, in any format of the run's, on the clock that `transcripts.start` says.
    responses : path, optional
        Responses to it, in any format, trimmed as those of the run are.
    n_rows : int, optional
        Rows wanted; by default those of the responses, or as many as the words last.
    name : str, optional
        What the story is called: random controls draw by it. Default, the name of the file.

    Raises
    ------
    ProblemError
        If a file cannot be read, or the words do not reach the rows.
    """
    path = Path(transcript)
    words = read_transcript(path, dataset.transcripts)
    if responses is not None:
        grid, values = _responses(dataset, config, subject, Path(responses))
    else:
        grid, values = _grid(dataset, words["offset"].to_numpy(), n_rows), None
    if grid.n_rows < 1:
        what = f"its {len(words)} words end before the first row"
        remedy = "compare the transcript's clock with `timing`, or say how many --rows there are"
        raise ProblemError(Problem(path, "", what, remedy))
    if grid.n_rows < FEW:
        logging.warning(
            "%s: %d rows are few: columns are z-scored within the story, and of fewer than %d rows "
            "mean and standard deviation are the story's own", path, grid.n_rows, FEW,
        )  # fmt: skip
    return NewStory(Story(name or path.stem, words, grid), values)


def _grid(dataset: Dataset, offsets: np.ndarray, n_rows: int | None) -> Grid:
    """Grid of so many kept rows; by default, up to the volume in which the last word ends."""
    empty = Grid(0, **dataset.timing)
    if n_rows is None:
        last = float(offsets[-1]) if len(offsets) else 0.0
        n_rows = math.ceil((last + empty.sound_start) / empty.tr) - empty.trim[0]
    return dataset.grid_of("", n_rows + sum(empty.trim) + empty.unused_volumes)


def _responses(
    dataset: Dataset, config: dict[str, Any], subject: str, path: Path
) -> tuple[Grid, np.ndarray]:
    """Grid and responses of the kept rows of a file."""
    options: Mapping[str, Any] = reading_options(config, subject, path)
    if has_regions(path):
        first = training_stories(config, subject)[0]
        options = by_name(path, options, dataset.region_names(subject, first))
    with open_responses(path, options) as source:
        values = np.asarray(source[:])
    grid = dataset.grid_of("", dataset.n_scanned(len(values)))
    strategy = options.get("confounds")
    nuisance = read_nuisance(path, strategy, len(values)) if strategy else None
    return grid, ready(values, grid, dataset.cut[0], options, nuisance)
