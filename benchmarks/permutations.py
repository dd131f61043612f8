"""Permutation tests at full size: all shifts by one Fourier transform, against the plain loop.

    python -m benchmarks.permutations [--voxels 95556] [--rows 300] [--loop 5]

Made-up predictions and responses of one story. The loop rolls the prediction and correlates it
again, once a permutation. Of the loop and of permuted blocks a few permutations are timed and
scaled up, and the record says so. Times are CPU
seconds (set OMP_NUM_THREADS=1). Both give the same correlations, which is checked.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.common import execute, write
from pipeline.core.series import pearson
from pipeline.statistics.blocks import draw_orders, draw_swaps, order_null, swap_null
from pipeline.statistics.permutation import Tally
from pipeline.statistics.shifts import draw_shifts, shift_null, shifted_r
from pipeline.statistics.tests import voxel_blocks

MIN_SHIFT, BLOCK = 20, 20  # TRs
FEW = 50  # permutations of blocks
Statistics = tuple[np.ndarray, np.ndarray]  # observed, and permuted


def tested(n_null: int, n_voxels: int, null: Callable[[slice], Statistics]) -> float:
    """CPU seconds of a whole test in blocks of voxels."""
    started = time.process_time()
    tally = Tally(n_null, n_voxels)
    for voxels in voxel_blocks(n_voxels, n_null):
        tally.add(voxels, *null(voxels))
    tally.result()
    return time.process_time() - started


def looped(predicted: np.ndarray, measured: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """The plain loop: one roll and one correlation a permutation."""
    return np.stack([pearson(np.roll(predicted, s, axis=0), measured) for s in shifts])


def main() -> None:
    """Time the three schemes and the loop."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--voxels", type=int, default=95_556)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--permutations", type=int, default=1000)
    parser.add_argument("--loop", type=int, default=3, help="permutations of the loop")
    arguments = parser.parse_args()
    n_rows, n_voxels, n = arguments.rows, arguments.voxels, arguments.permutations
    rng = np.random.default_rng(0)
    # Two stories, so that there are as many combinations of shifts as are asked for.
    stories = rng.standard_normal((2, 3, n_rows // 2, n_voxels), dtype=np.float32)
    rows = [n_rows // 2] * 2
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    shifts, orders = draw_shifts(rows, MIN_SHIFT, n, rng), draw_orders(rows, BLOCK, FEW, rng)
    swaps = draw_swaps(rows, BLOCK, n, rng)

    def pairs(voxels: slice) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(p[:, voxels], y[:, voxels]) for p, _, y in stories]

    def triples(voxels: slice) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        return [(p[:, voxels], q[:, voxels], y[:, voxels]) for p, q, y in stories]

    seconds: dict[str, Any] = {
        "shifts": tested(n, n_voxels, lambda v: shift_null(pairs(v), shifts, MIN_SHIFT)),
        "swaps": tested(len(swaps[0]), n_voxels, lambda v: swap_null(triples(v), swaps, BLOCK)),
    }
    print(seconds, flush=True)
    orders_of_few = tested(FEW, n_voxels, lambda v: order_null(pairs(v), orders))
    seconds["orders"] = orders_of_few * n / FEW
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    predicted, _, measured = stories[0]
    few = shifts[: arguments.loop, 0]
    started = time.process_time()
    loop = looped(predicted, measured, few)
    each = (time.process_time() - started) / len(few)
    np.testing.assert_allclose(
        shifted_r(predicted[:, :50], measured[:, :50])[few], loop[:, :50], atol=1e-5
    )
    seconds["loop"] = 2 * each * n  # stories
    write(
        "permutations",
        f"{n} permutations of {n_voxels} voxels x {n_rows} TRs in two stories, with p, q and "
        "family-wise p; CPU seconds",
        f"the plain loop of rolls and correlations: {len(few)} of {n} permutations of one story "
        f"timed, scaled up (as {FEW} orders of blocks are)",
        seconds=seconds,
        ratio=seconds["loop"] / seconds["shifts"],
        memory_mib_beside_the_data=peak - held,
    )


if __name__ == "__main__":
    execute(main)
