"""Features that others made: a model's, an annotator's, a measurement of the sound.

What they look ahead at is declared by whoever made them, and cannot be audited here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.errors import Problem, ProblemError, some
from pipeline.dataset.story import Story
from pipeline.features.base import Kind
from pipeline.readers.feature_table import FeatureTable, first_columns, read_feature_table


def columns(options: Mapping[str, Any]) -> list[str]:
    """Names of the features, as the tables or the option `columns` have them."""
    return list(options["columns"] or first_columns(options["path"]))


def values_of(
    name: str, words: pd.DataFrame, n_rows: int, options: Mapping[str, Any]
) -> np.ndarray:
    """Features of a story before they are brought to rows.

    Parameters
    ----------
    name : str
        The story.
    words : DataFrame
        Its words.
    n_rows : int
        Its rows (TRs).
    options : mapping
        Of the band.

    Returns
    -------
    array of shape (n_words or n_rows, n_columns)
        One row a word, or a TR with `per: tr`.

    Raises
    ------
    ProblemError
        If the table lacks the story, has other columns than the first one, other rows than the
        story, or NaN.
    """
    named = columns(options)
    table = read_feature_table(options["path"], name, options["columns"])
    if table.columns != named:
        what = f"its columns are {some(table.columns)}, not {some(named)} as in another story"
        raise ProblemError(Problem(table.path, "", what, "name the same columns in every table"))
    if options["per"] == "tr":
        values = table.values
        if len(values) != n_rows:
            what = f"{len(values)} rows, but {name} has {n_rows} TRs that are kept"
            remedy = "give one row for each row of the responses"
            raise ProblemError(Problem(table.path, name, what, remedy))
    else:
        values = table.values[_rows_of_words(table, name, words, options["tolerance"])]
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        what = f"no number in column {named[column]!r}, row {row + 1} of {name}"
        remedy = "fill in every number, or leave the column out (`columns`)"
        raise ProblemError(Problem(table.path, name, what, remedy))
    return values


def _rows_of_words(
    table: FeatureTable, name: str, words: pd.DataFrame, tolerance: float | None
) -> np.ndarray:
    """The row of each word: by its onset, by its index, or in their order."""
    n = len(words)
    if tolerance is not None:
        return _rows_by_onset(table, name, words["onset"].to_numpy(), tolerance)
    if len(table.values) != n:
        what = f"{len(table.values)} rows, but {name} has {n} words"
        remedy = "give one row for each word of the transcript, or join by onset (`tolerance`)"
        raise ProblemError(Problem(table.path, name, what, remedy))
    if table.index is None:
        return np.arange(n)
    if not np.array_equal(np.sort(table.index), np.arange(n)):
        what = f"`index` is not each of 0 to {n - 1} once"
        remedy = "number the words of the transcript from 0"
        raise ProblemError(Problem(table.path, name, what, remedy))
    return np.argsort(table.index)


def _rows_by_onset(
    table: FeatureTable, name: str, onsets: np.ndarray, tolerance: float
) -> np.ndarray:
    """The one row whose onset is nearest to each word's, within the tolerance."""
    if table.onset is None or not np.isfinite(table.onset).all():
        what = "`tolerance` joins by onset, but some rows have none"
        raise ProblemError(Problem(table.path, name, what, "add a column `onset`, seconds"))
    order = np.argsort(table.onset, kind="stable")
    times = table.onset[order]
    after = np.searchsorted(times, onsets).clip(1, max(len(times) - 1, 1))
    nearest = np.where(
        np.abs(times[after - 1] - onsets) <= np.abs(times[after % len(times)] - onsets),
        after - 1,
        after % len(times),
    )
    far = np.flatnonzero(np.abs(times[nearest] - onsets) > tolerance)
    if len(far):
        what = f"{len(far)} words have no row within {tolerance:g} s, the first at "
        what += f"{onsets[far[0]]:.3f} s"
        remedy = "compare the table's clock with the transcript's, or raise `tolerance`"
        raise ProblemError(Problem(table.path, name, what, remedy))
    if len(np.unique(nearest)) < len(nearest):
        values, counts = np.unique(nearest, return_counts=True)
        what = f"the row at {times[values[counts > 1][0]]:.3f} s is nearest to several words"
        remedy = "give every word a row of its own"
        raise ProblemError(Problem(table.path, name, what, remedy))
    return order[nearest]


def compute(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """Features of a story from a table, array of shape (n_rows, n_columns)."""
    values = values_of(story.name, story.words, story.grid.n_rows, options)
    return values if options["per"] == "tr" else story.to_rows(values, options["downsample"])


def origin(options: Mapping[str, Any]) -> dict[str, str]:
    """What is declared of the table, as nothing of it can be audited."""
    return {"made_by": str(options["made_by"] or "not declared"), "audited": "no, declared"}


KIND = Kind(
    "table",
    "stimulus",
    compute,
    zscore="story",
    options={
        "path": None,
        "per": "word",
        "columns": None,
        "tolerance": None,
        "downsample": "lanczos",
        "made_by": None,
        "trained_on": None,
    },
    required=("path",),
    origin=origin,
    columns=columns,
)
