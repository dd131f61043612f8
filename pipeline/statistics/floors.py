"""The smallest p that tests can give, from the lengths of the test stories alone."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.statistics.blocks import count_orders, count_swaps
from pipeline.statistics.options import TestOptions
from pipeline.statistics.permutation import smallest_p
from pipeline.statistics.shifts import count_shifts


def floor_of_r(n_rows: Sequence[int], options: TestOptions) -> float:
    """Smallest p of r above 0, with test stories of these numbers of rows."""
    if options.scheme == "shift":
        return _floor(count_shifts(n_rows, options.min_shift), options)
    return _floor(count_orders(n_rows, options.block), options)


def floor_of_difference(n_rows: Sequence[int], options: TestOptions) -> float:
    """Smallest p of a difference between two models."""
    return _floor(count_swaps(n_rows, options.block), options)


def _floor(possible: int, options: TestOptions) -> float:
    return smallest_p(min(possible, options.permutations), options.tail)
