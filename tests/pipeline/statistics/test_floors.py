"""The smallest p that tests can give, known from lengths alone."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.statistics.blocks import draw_orders, draw_swaps
from pipeline.statistics.floors import floor_of_difference, floor_of_r
from pipeline.statistics.options import TestOptions
from pipeline.statistics.shifts import draw_shifts


@pytest.mark.parametrize("tail", ["none", "gpd"])
@pytest.mark.parametrize("n_rows", [[52], [59], [120], [41, 43], [300, 200]], ids=str)
def test_floors_are_those_of_the_permutations_drawn(n_rows, tail):
    """What the validation says from lengths alone is what the tests then have."""
    rng = np.random.default_rng(0)
    options = TestOptions(
        scheme="shift", permutations=500, min_shift=20, block=20, tail=tail, alpha=0.05
    )
    fitted = {True: 0.01, False: 1.0}

    def floor(n_null):
        return fitted[tail == "gpd" and n_null >= 300] / (1 + n_null)

    assert floor_of_r(n_rows, options) == floor(len(draw_shifts(n_rows, 20, 500, rng)))
    assert floor_of_difference(n_rows, options) == floor(len(draw_swaps(n_rows, 20, 500, rng)[0]))
    orders = len(draw_orders(n_rows, 20, 500, rng)[0])
    assert floor_of_r(n_rows, replace(options, scheme="block")) == floor(orders)


def test_one_test_block_of_52_rows_can_show_nothing():
    options = TestOptions(
        scheme="shift", permutations=1000, min_shift=20, block=20, tail="none", alpha=0.05
    )
    assert floor_of_r([52], options) == pytest.approx(0.071, abs=5e-4)
    assert floor_of_difference([52], options) == 0.5
