"""The TR grid of a story, and which word belongs to which TR.

The scanner acquires `R` volumes for a story. The grid holds `R - unused_volumes` of them, one every
TR, with the sound starting `sound_start` seconds into it; responses exist for the grid without its
first `trim[0]` and last `trim[1]` volumes. These kept volumes are the *rows* of every matrix here.

Blocks of one story stand where stories do: they train or test, and are whole in a fold. Block k of
story S is called `S-k`. Blocks are equally long runs of kept rows, with a gap between two of them
that belongs to neither, as what ends one still echoes when the next begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

ROUNDING = 1e-6  # TRs before a TR's start that are its start: floats of decimals are that near
MAX_SILENT_TRS = 2  # a TR's match state is carried for at most this many TRs without a word
Blocks = Mapping[str, Mapping[str, int]]  # story to n and gap


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

        Rows outside 0..n_rows-1 are trimmed volumes (negative: before the first kept one). An onset
        on a TR's start is in that TR, though the quotient of two floats may fall short of it
        (3.3 / 1.1 < 3).
        """
        volumes = (np.asarray(onsets, dtype=float) + self.sound_start) / self.tr
        return np.floor(volumes + ROUNDING).astype(int) - self.trim[0]

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


def block_of(name: str, blocks: Blocks) -> tuple[str, int] | None:
    """Story and number (from 1) of a block; None if this is the name of a whole story."""
    story, _, number = name.rpartition("-")
    return (story, int(number)) if story in blocks and number.isdecimal() else None


def whole_story(name: str, blocks: Blocks) -> str:
    """The story that a block is of, or the name itself."""
    block = block_of(name, blocks)
    return block[0] if block else name


def block_rows(n_rows: int, n: int, gap: int, number: int) -> slice:
    """Rows of a block among the kept rows of the story.

    Parameters
    ----------
    n_rows : int
        Rows of the story.
    n, gap : int
        Blocks, and rows between two of them.
    number : int
        Which block, from 1.
    """
    n_used = max(n_rows - gap * (n - 1), 0)
    start, stop = (n_used * k // n for k in (number - 1, number))
    return slice(start + gap * (number - 1), stop + gap * (number - 1))


def block_grid(grid: Grid, rows: slice) -> Grid:
    """The grid of a story with only these rows kept: the others are trimmed volumes."""
    start, end = grid.trim
    return replace(grid, trim=(start + rows.start, end + grid.n_rows - rows.stop))


def shared_stories(config: dict[str, Any]) -> dict[str, int]:
    """Stories of which some blocks train and others test, with the gap between blocks, TRs."""
    blocks = config["blocks"]
    parts = [{whole_story(s, blocks) for s in part} for part in config["stories"].values()]
    return {story: blocks[story]["gap"] for story in sorted(set.intersection(*parts))}


def broken_blocks(config: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Place, problem and remedy of blocks that are no blocks, overlap a story, or are too near."""
    blocks, stories = config["blocks"], [s for part in config["stories"].values() for s in part]
    for story, options in blocks.items():
        names = [f"{story}-{k}" for k in range(1, options["n"] + 1)]
        if story in stories:
            yield "stories", f"{story!r} is cut into blocks", f"list {names[0]!r} and so on instead"
        for name in stories:
            if name.startswith(f"{story}-") and name not in names:
                yield "stories", f"there is no block {name!r}", f"there are {', '.join(names)}"
        if options["gap"] < max(config["delays"]):
            what = f"the gap is shorter than the longest of the delays, {max(config['delays'])} TRs"
            yield f"blocks.{story}.gap", what, "widen it: a response outlasts its word"
