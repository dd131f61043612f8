"""The words of all stories in one table."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from pipeline.core.errors import Problem, ProblemError
from pipeline.dataset.dataset import Dataset
from pipeline.readers.words import COLUMNS


def read_stories(dataset: Dataset, stories: Iterable[str]) -> pd.DataFrame:
    """Read the words of several stories.

    Parameters
    ----------
    dataset : Dataset
        Where the transcripts are.
    stories : iterable of str
        Names of stories, in the order wanted.

    Returns
    -------
    DataFrame of n_words rows
        `story`, `word`, `onset` and `offset` (seconds from the start of the story's sound).

    Raises
    ------
    ProblemError
        With the faults of all the stories' transcripts.
    """
    tables: list[pd.DataFrame] = []
    problems: list[Problem] = []
    for story in stories:
        try:
            words = dataset.read_words(story)
        except ProblemError as error:
            problems += error.problems
        else:
            words.insert(0, "story", story)
            tables.append(words)
    if problems:
        raise ProblemError(problems)
    if not tables:
        return pd.DataFrame(columns=["story", *COLUMNS])
    return pd.concat(tables, ignore_index=True)
