"""How long words last: what no speaker says is a wrong unit, or a column that is no time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.core.errors import ProblemError
from pipeline.readers.entries import Entries

if TYPE_CHECKING:
    import pandas as pd

# Seconds. Words of running speech last 0.2 to 0.4 s in the median, slow lists perhaps 1 s, and a
# TR's words spread over it no more than the TR. A factor of 60 (minutes) or 1000 (milliseconds)
# leaves these bounds; no word is held for half a minute.
SHORTEST_MEDIAN, LONGEST_MEDIAN, LONGEST = 0.01, 5.0, 30.0
ENOUGH_SHORT = 20  # words; a few may be cut short, not half of so many
MOST_AT_ONCE = 3.0  # words said at a time, on average; two who always speak at once make two
_UNITS = "give onset and offset or duration in seconds"


def check_lengths(entries: Entries, words: pd.DataFrame) -> None:
    """Raise if the words of a transcript last as long as none do, or are said all at once.

    Parameters
    ----------
    entries : Entries
        Where the words were read, for the error message.
    words : DataFrame of n_words rows
        `onset` and `offset`, seconds, by ascending onset; the index numbers the entries. Words
        without a length (they end where they start) say nothing.

    Raises
    ------
    ProblemError
        With the first word that is too long or too short, and the likely unit.
    """
    timed = words[words["offset"] > words["onset"]]
    if timed.empty:
        return
    onset, offset = timed["onset"].to_numpy(), timed["offset"].to_numpy()
    length = offset - onset
    median, at_once = float(np.median(length)), _at_once(onset, offset)
    what = f"words last {median:.3g} s in the median"
    if median > LONGEST_MEDIAN:
        first = length > LONGEST_MEDIAN
        remedy = f"{_UNITS}: these are likely milliseconds, or places in the text"
    elif median < SHORTEST_MEDIAN and len(length) >= ENOUGH_SHORT:
        first = length < SHORTEST_MEDIAN
        remedy = f"{_UNITS}: these are likely minutes"
    elif (length > LONGEST).any():
        first = length > LONGEST
        what = f"the word lasts {length[first][0]:.3g} s"
        remedy = "correct where it ends: an aligner may have lost the speech there"
    elif at_once > MOST_AT_ONCE:
        first = offset > np.r_[onset[2:], np.inf, np.inf]
        what = f"words overlap: {at_once:.1f} are said at a time"
        remedy = f"{_UNITS}, of one unit; Gentle's places in the text are no times"
    else:
        return
    index = int(timed.index[np.flatnonzero(first)[0]])
    raise ProblemError(entries.problem(index, what, remedy))


def _at_once(onset: np.ndarray, offset: np.ndarray) -> float:
    """How many words are said at a time, on average over the time in which any is."""
    said_until = np.r_[-np.inf, np.maximum.accumulate(offset)[:-1]]
    covered = np.maximum(offset - np.maximum(onset, said_until), 0).sum()
    return float((offset - onset).sum() / covered)
