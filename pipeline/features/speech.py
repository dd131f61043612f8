"""Speech: how fast the words come, and where the speaker pauses, from their timings alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.errors import Problem, ProblemError
from pipeline.dataset.story import Story
from pipeline.features.base import Kind
from pipeline.readers.norms import source

TIMINGS = ("duration", "pause before", "pauses", "words since a pause", "words a second")
PHONES = ("phones", "phones a second")
SILENCE = "silence"  # of a row, not of a word


def silence_before(onset: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Seconds before each word in which nobody spoke; 0 for the first, and where words overlap.

    Parameters
    ----------
    onset, offset : arrays of shape (n_words,)
        Seconds; onsets ascend.
    """
    said_until = np.maximum.accumulate(np.append(onset[:1], offset[:-1]))
    return np.maximum(onset - said_until, 0.0)


def since_last(marks: np.ndarray) -> np.ndarray:
    """Words since the last one that is marked, 0 for that one; for those before the first, all.

    Parameters
    ----------
    marks : array of bool, shape (n_words,)

    Returns
    -------
    array of int, shape (n_words,)
    """
    place = np.arange(len(marks))
    return place - np.maximum.accumulate(np.where(marks, place, 0))


def speech_rate(onset: np.ndarray, window: float) -> np.ndarray:
    """Words that began in the `window` seconds up to each word's onset, a second.

    Parameters
    ----------
    onset : array of shape (n_words,)
        Seconds, ascending.
    window : float
        Seconds.
    """
    before = np.searchsorted(onset, onset - window, side="right")
    return (np.searchsorted(onset, onset, side="right") - before) / window


def spoken_time(onset: np.ndarray, offset: np.ndarray, starts: np.ndarray, tr: float) -> np.ndarray:
    """Share of each TR in which a word is being said.

    Parameters
    ----------
    onset, offset : arrays of shape (n_words,)
        Seconds; onsets ascend.
    starts : array of shape (n_rows,)
        Seconds at which the TRs start.
    tr : float
        Their length, seconds.

    Returns
    -------
    array of shape (n_rows,)
    """
    ends = np.maximum.accumulate(offset)
    begins = np.maximum(onset, np.append(-np.inf, ends)[:-1])  # of what nobody else says already
    begins, ends = begins[ends > begins], ends[ends > begins]
    said = np.append(0.0, np.cumsum(ends - begins))

    def until(times: np.ndarray) -> np.ndarray:
        i = np.searchsorted(begins, times, side="right") - 1
        running = np.clip(times - begins[i], 0, ends[i] - begins[i])
        return np.where(i >= 0, said[i] + running, 0.0)

    if not len(begins):
        return np.zeros(len(starts))
    return (until(starts + tr) - until(starts)) / tr


def phones_of_words(story: Story) -> np.ndarray:
    """How many phones each word has, (n_words,): of the transcript, or else of a dictionary.

    Words that the dictionary lacks have the mean number a letter of those that it has.

    Raises
    ------
    ProblemError
        If the transcript has no tier of phones and no dictionary is installed.
    """
    words, phones = story.words, story.read_phones()
    if phones is not None:
        return _phones_within(words, phones)
    try:
        counts = source("sounds").values(words["word"])[:, 0]
    except ProblemError as error:
        what = "there is no tier of phones, and no dictionary either"
        remedy = "pip install 'gim-encoding[lexicon]', or leave out the option `phones`"
        raise ProblemError(Problem(story.name, "phones", what, remedy)) from error
    letters, known = words["word"].str.len().to_numpy(float), ~np.isnan(counts)
    a_letter = counts[known].sum() / max(letters[known].sum(), 1.0)
    return np.where(known, counts, a_letter * letters)


def _phones_within(words: pd.DataFrame, phones: pd.DataFrame) -> np.ndarray:
    """Phones whose middle is within each word."""
    middle = (phones["onset"] + phones["offset"]).to_numpy() / 2
    ends = (np.searchsorted(middle, words[name].to_numpy()) for name in ("offset", "onset"))
    return np.subtract(*ends).astype(float)


def of_words(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """What the timings say of each word, (n_words, n_columns) in the order of `columns`."""
    onset, offset = (story.words[name].to_numpy(float) for name in ("onset", "offset"))
    pause, duration = silence_before(onset, offset), offset - onset
    stops = pause >= options["pause"]
    values = [duration, pause, stops, np.log1p(since_last(stops))]
    values.append(speech_rate(onset, options["window"]))
    if options["phones"]:
        phones = phones_of_words(story)
        values += [phones, np.divide(phones, duration, where=duration > 0, out=0 * duration)]
    return np.stack(values, axis=1).astype(float)


def compute(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """Timings of the words about their means over the story, and silence, (n_rows, n_columns)."""
    values, grid = of_words(story, options), story.grid
    values -= values.mean(axis=0) if len(values) else 0.0
    onset, offset = (story.words[name].to_numpy(float) for name in ("onset", "offset"))
    starts = grid.volume_starts()[grid.kept]
    silence = 1 - spoken_time(onset, offset, starts, grid.tr)
    return np.column_stack([story.to_rows(values, options["downsample"]), silence])


def columns(options: Mapping[str, Any]) -> list[str]:
    """What the columns mean."""
    return [*TIMINGS, *(PHONES if options["phones"] else ()), SILENCE]


KIND = Kind(
    "speech",
    "stimulus",
    compute,
    zscore="story",
    options={"downsample": "lanczos", "pause": 0.25, "window": 10.0, "phones": False},
    columns=columns,
)
