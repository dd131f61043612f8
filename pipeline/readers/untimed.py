"""Words of a table that have no times, as aligners leave those that they could not find."""

from __future__ import annotations

import numpy as np

MODES = ("refuse", "skip", "interpolate")


def interpolate(
    onset: np.ndarray, offset: np.ndarray, untimed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Share the time between two timed words equally among the words without times between them.

    Before the first timed word, and after the last, there is no such time: words there have no
    length, and lie where that word begins, or ends.

    Parameters
    ----------
    onset, offset : arrays of shape (n_words,)
        Seconds, in the order of the words.
    untimed : bool array of shape (n_words,)
        Words without times; not all.

    Returns
    -------
    onset, offset : arrays of shape (n_words,)
    """
    onset, offset = onset.copy(), offset.copy()
    timed = np.flatnonzero(~untimed)
    for before, after in zip([None, *timed], [*timed, None], strict=True):
        first = 0 if before is None else before + 1
        stop = len(onset) if after is None else after
        begin = onset[after] if before is None else offset[before]
        end = begin if after is None else max(onset[after], begin)  # words may overlap
        edges = np.linspace(begin, end, stop - first + 1)
        onset[first:stop], offset[first:stop] = edges[:-1], edges[1:]
    return onset, offset
