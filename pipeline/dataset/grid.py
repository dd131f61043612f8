"""The TR grid of a story, and which word belongs to which TR.

The scanner acquires `R` volumes for a story. The grid holds `R - unused_volumes` of them, one every
TR, with the sound starting `sound_start` seconds into it; responses exist for the grid without its
first `trim[0]` and last `trim[1]` volumes. These kept volumes are the *rows* of every matrix here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MAX_SILENT_TRS = 2  # a TR's match state is carried for at most this many TRs without a word


@dataclass(frozen=True)
class Grid:
    """The TR grid of one story (defaults: ds003020).

    Parameters
    ----------
    n_scanned : int
        Volumes acquired for the story (`respdict.json`).
    tr : float
        Repetition time, seconds.
    sound_start : float
        Seconds from the first volume of the grid to the start of the sound.
    unused_volumes : int
        Scanned volumes that are not on the grid.
    trim : tuple of int
        Volumes cut at the start and at the end of the grid.
    """

    n_scanned: int
    tr: float = 2.0
    sound_start: float = 10.0
    unused_volumes: int = 5
    trim: tuple[int, int] = (10, 5)

    @property
    def n_volumes(self) -> int:
        """Volumes on the grid."""
        return self.n_scanned - self.unused_volumes

    @property
    def n_rows(self) -> int:
        """Kept volumes: the rows of the responses and of every feature."""
        return self.n_volumes - sum(self.trim)

    @property
    def kept(self) -> slice:
        """The kept volumes as a slice of the grid."""
        return slice(self.trim[0], self.n_volumes - self.trim[1])

    def volume_starts(self) -> np.ndarray:
        """Start of every volume of the grid, seconds from the start of the sound."""
        return np.arange(self.n_volumes) * self.tr - self.sound_start

    def row_of(self, onsets: np.ndarray) -> np.ndarray:
        """Row that an onset (seconds from the start of the sound) falls in.

        Rows outside 0..n_rows-1 are trimmed volumes (negative: before the first kept one).
        """
        volumes = np.floor((np.asarray(onsets, dtype=float) + self.sound_start) / self.tr)
        return volumes.astype(int) - self.trim[0]

    def states(self, onsets: np.ndarray) -> np.ndarray:
        """Index of the word that is each row's match state.

        The state of a row is the last word whose onset is before the end of that TR, carried for
        at most `MAX_SILENT_TRS` TRs without a word.

        Parameters
        ----------
        onsets : array of shape (n_words,)
            Ascending word onsets, seconds from the start of the sound.

        Returns
        -------
        array of int, shape (n_rows,)
            Word indices; -1 where there is no state.
        """
        word_rows = self.row_of(onsets)
        rows = np.arange(self.n_rows)
        last = np.searchsorted(word_rows, rows, side="right") - 1
        if len(word_rows) == 0:
            return np.full(self.n_rows, -1)
        silent = rows - word_rows[np.maximum(last, 0)]
        return np.where((last >= 0) & (silent <= MAX_SILENT_TRS), last, -1)
