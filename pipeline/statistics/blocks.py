"""Blocks of TRs: their order permuted for one model, predictions swapped between two models.

Blocks are cut within a story and stay in it. They are as long as BOLD remembers, so that what is
exchanged is nearly independent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations, product
from typing import Any

import numpy as np

from pipeline.core.series import mean_over_stories, unit
from pipeline.statistics.shifts import distinct


def block_starts(n_rows: int, length: int) -> np.ndarray:
    """First rows of the nearly equal blocks, none shorter than `length`, that a story is cut into.

    Returns
    -------
    array of int, shape (n_blocks,)
        One block where the story is not twice as long as a block.
    """
    n_blocks = max(n_rows // length, 1)
    return np.arange(n_blocks) * n_rows // n_blocks


def count_orders(n_rows: Sequence[int], length: int) -> int:
    """How many orders of the blocks of stories there are beside the observed one."""
    return math.prod(math.factorial(len(block_starts(rows, length))) for rows in n_rows) - 1


def count_swaps(n_rows: Sequence[int], length: int) -> int:
    """How many ways to swap blocks between two models there are that a two-sided test can tell."""
    return 2 ** (sum(len(block_starts(rows, length)) for rows in n_rows) - 1) - 1


def draw_orders(
    n_rows: Sequence[int], length: int, n: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Draw orders of rows that keep each block of a story together; every other one if few.

    Parameters
    ----------
    n_rows : sequence of int
        Rows of each story.
    length : int
        TRs of a block.
    n : int
        Orders wanted.
    rng : Generator
        Source of the draws.

    Returns
    -------
    list of arrays of int, shape (at most n, n_rows)
        For each story the row of the prediction that goes to each row.
    """
    blocks = [np.split(np.arange(rows), block_starts(rows, length)[1:]) for rows in n_rows]
    drawn: list[list[Any]]  # of each story
    if count_orders(n_rows, length) <= n:
        every = product(*(permutations(range(len(own))) for own in blocks))
        next(every)  # the order that was observed
        drawn = [list(orders) for orders in zip(*every, strict=True)] or [[] for _ in blocks]
    else:
        drawn = [[rng.permutation(len(own)) for _ in range(n)] for own in blocks]
    return [
        np.array([np.concatenate([own[b] for b in o]) for o in orders], int).reshape(-1, rows)
        for own, orders, rows in zip(blocks, drawn, n_rows, strict=True)
    ]


def order_null(
    stories: Sequence[tuple[np.ndarray, np.ndarray]], orders: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The mean r over stories, and what it would be with the predictions' blocks permuted.

    Parameters
    ----------
    stories : sequence of (predicted, measured), arrays of shape (n_rows, n_voxels)
        Test stories.
    orders : sequence of arrays of shape (n_null, n_rows)
        `draw_orders`.

    Returns
    -------
    observed : array of shape (n_voxels,)
    null : array of shape (n_null, n_voxels)
    """
    pairs = [(unit(p, 0), unit(y, np.nan)) for p, y in stories]
    observed = mean_over_stories(_r(p, y) for p, y in pairs)
    null = mean_over_stories(
        np.array([_r(p[order], y) for order in story_orders]).reshape(-1, y.shape[1])
        for (p, y), story_orders in zip(pairs, orders, strict=True)
    )
    return observed, null


def _r(predicted: np.ndarray, measured: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->j", predicted, measured)


def draw_swaps(
    n_rows: Sequence[int], length: int, n: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Draw which blocks are swapped between two models; every possibility if there are few.

    Swapping a set of blocks or all the others differs by the sign of the difference only, which a
    two-sided test does not see: the first block stays.

    Returns
    -------
    list of arrays of bool, shape (at most n, n_blocks)
        One a story.
    """
    n_blocks = [len(block_starts(rows, length)) for rows in n_rows]
    swaps = np.zeros((0, sum(n_blocks)), bool)
    if sum(n_blocks) > 1:
        drawn = distinct([2] * (sum(n_blocks) - 1), n + 1, rng).astype(bool)
        drawn = drawn[drawn.any(axis=1)][:n]  # without the arrangement that was observed
        swaps = np.concatenate([np.zeros((len(drawn), 1), bool), drawn], axis=1)
    return np.split(swaps, np.cumsum(n_blocks)[:-1], axis=1)


def swap_null(
    stories: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]],
    swaps: Sequence[np.ndarray],
    length: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Difference in mean r of two models, and what it would be with their predictions swapped.

    Predictions are standardised within the story first: a correlation does not see their scales,
    a mixture of the two would.

    Parameters
    ----------
    stories : sequence of (predicted, reference, measured), arrays of shape (n_rows, n_voxels)
        Test stories.
    swaps : sequence of arrays of shape (n_null, n_blocks)
        `draw_swaps`.
    length : int
        TRs of a block, as given to `draw_swaps`.

    Returns
    -------
    observed : array of shape (n_voxels,)
    null : array of shape (n_null, n_voxels)
    """
    sums = [_BlockSums(*story, length) for story in stories]
    kept = [np.zeros((1, swap.shape[1])) for swap in swaps]
    observed = mean_over_stories(s.difference(k) for s, k in zip(sums, kept, strict=True))[0]
    null = mean_over_stories(s.difference(w) for s, w in zip(sums, swaps, strict=True))
    return observed, null


class _BlockSums:
    """Sums over the blocks of a story from which any swap's correlations follow."""

    def __init__(
        self, predicted: np.ndarray, reference: np.ndarray, measured: np.ndarray, length: int
    ) -> None:
        starts = block_starts(len(measured), length)
        a, b, y = unit(predicted, 0), unit(reference, 0), unit(measured, np.nan)
        self.n_rows = len(measured)
        self.a, self.b = (
            [np.add.reduceat(values, starts, axis=0) for values in (x * y, x, x * x)]
            for x in (a, b)
        )

    def difference(self, swaps: np.ndarray) -> np.ndarray:
        """R of the first minus r of the second model, (n_swaps, n_voxels)."""
        swaps = swaps.astype(np.float32)
        exchanged = [swaps @ (b - a) for a, b in zip(self.a, self.b, strict=True)]
        first = [a.sum(axis=0) + e for a, e in zip(self.a, exchanged, strict=True)]
        second = [b.sum(axis=0) - e for b, e in zip(self.b, exchanged, strict=True)]
        return self._r(*first) - self._r(*second)

    def _r(self, xy: np.ndarray, x: np.ndarray, xx: np.ndarray) -> np.ndarray:
        """Correlations from sums; the responses have mean 0 and norm 1."""
        variance = xx - x * x / self.n_rows
        return xy / np.sqrt(np.where(variance > 1e-12, variance, np.inf))
