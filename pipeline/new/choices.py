"""What files cannot tell: which story tests, what the folds are, delays in TRs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.core.random import generator
from pipeline.new.parts import parts_of

SHARE = 10  # stories for each test story
TESTABLE = 59  # rows of one story that the test of r above 0 takes (docs/data.md)
N_FOLDS, N_BLOCKS, MIN_TRAIN = 5, 6, 3
SHORTEST, LONGEST, HORIZON = 2.0, 8.0, 4.0  # seconds: delays of word features, newest past BOLD
MIN_SHIFT = 20  # TRs; the default of `statistics`


@dataclass(frozen=True, kw_only=True)
class Split:
    """Which stories, or blocks of them, train and which test.

    Parameters
    ----------
    test : list of str
        Test stories, or the block that tests.
    train : list of str or None
        Training stories; None, all others.
    blocks : dict
        `blocks` of the configuration.
    n_folds : int
        Folds.
    rule : str
        How they were chosen.
    is_guess : bool
        Whether the user said nothing of it.
    """

    test: list[str]
    train: list[str] | None
    blocks: dict[str, dict[str, int]]
    n_folds: int
    rule: str
    is_guess: bool = True


def split(
    stories: Sequence[str],
    n_rows: Mapping[tuple[str, str], int],
    longest_delay: int,
    seed: int,
    given: Sequence[str] = (),
) -> Split:
    """Choose what tests: stories called so, or else a tenth of all, one at least, drawn by a seed.

    Drawn are stories that most subjects heard, of these those with `TESTABLE` rows if there are
    any. Stories too few for three folds are cut into blocks.

    Parameters
    ----------
    stories : sequence of str
        All stories.
    n_rows : mapping of (str, str) to int
        Rows by subject and story.
    longest_delay : int
        TRs; the gap between blocks is longer.
    seed : int
        Of the draw.
    given : sequence of str
        Test stories, if the user says them.
    """
    heard = {s: [n for (_, story), n in n_rows.items() if story == s] for s in stories}
    gap = max(10, longest_delay)
    if len(stories) == 1:
        (story,) = stories
        names = [f"{story}-{k}" for k in range(1, N_BLOCKS + 1)]
        rule = f"one story: {N_BLOCKS} blocks of it, of which the last tests"
        blocks = {story: {"n": N_BLOCKS, "gap": gap}}
        return Split(test=names[-1:], train=names[:-1], blocks=blocks, n_folds=5, rule=rule)
    test, rule = list(given), "as --test says"
    called = [story for story in stories if "test" in parts_of(story)]
    if not test and called and len(called) < len(stories):
        test, rule = called, "the stories that are called so"
    if not test:
        most = max(map(len, heard.values()))
        shared = [s for s in stories if len(heard[s]) == most]
        long = [s for s in shared if min(heard[s]) >= TESTABLE] or shared
        n_test = min(max(1, len(stories) // SHARE), len(long), len(stories) - 1)
        drawn = generator(seed, "new", "test").choice(len(long), n_test, replace=False)
        test = [long[i] for i in sorted(drawn)]
        which = f"with {TESTABLE} rows or more" if len(long) < len(shared) else "that most heard"
        rule = f"{n_test} of {len(long)} stories {which}, drawn with seed {seed}"
    train = [story for story in stories if story not in test]
    counts = [sum((subject, s) in n_rows for s in train) for subject, _ in n_rows]
    said: dict[str, Any] = {"test": test, "is_guess": not given}
    if min(counts) >= MIN_TRAIN:
        return Split(**said, train=None, blocks={}, n_folds=min(N_FOLDS, *counts), rule=rule)
    blocks = {story: {"n": MIN_TRAIN, "gap": gap} for story in train}
    names = [f"{story}-{k}" for story in train for k in range(1, MIN_TRAIN + 1)]
    rule += f"; too few others for {MIN_TRAIN} folds, so they are cut into blocks"
    return Split(**said, train=names, blocks=blocks, n_folds=MIN_TRAIN, rule=rule)


def in_rows(tr: float) -> dict[str, Any]:
    """What is counted in TRs, `delays` and `horizon`, for a repetition time in seconds."""
    first, last = max(1, round(SHORTEST / tr)), max(1, math.floor(LONGEST / tr))
    return {"delays": list(range(first, last + 1)), "horizon": max(1, math.ceil(HORIZON / tr))}


def min_shift(n_rows: Sequence[int]) -> int | None:
    """Least shift of the tests of significance where test stories are too short for the default."""
    shortest = min(n_rows, default=0)
    return max(shortest // 4, 1) if shortest < 2 * MIN_SHIFT else None
