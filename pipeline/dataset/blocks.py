"""Blocks of one story that stand where stories do: they train or test, and are whole in a fold.

Block k of story S is called `S-k`. Blocks are equally long runs of kept rows, with a gap between
two of them that belongs to neither, as what ends one still echoes when the next begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pipeline.dataset.grid import Grid

Blocks = Mapping[str, Mapping[str, int]]  # story to n and gap


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
