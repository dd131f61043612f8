"""The weights of a subject of full size: seconds and bytes of a block, projection for the whole.

    python -m benchmarks.full_weights [--rows 34000] [--voxels 512] [--points 12]

The shape is that of `benchmarks.full_size`: 5,740 columns in two bands, 95,556 voxels. A block is
solved at alphas that are known, as `pipeline.fit.refit` does, and written. Times are CPU seconds.
What grows with the rows (Gram matrices, X'Y) is scaled to 34,000 of them.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.common import execute, timed, write
from benchmarks.full_size import ALPHAS, STORY, VOXELS, make_design, make_responses
from pipeline.bands.registry import BandOptions
from pipeline.fit.design import Preparation
from pipeline.fit.gram_engine import GramEngine
from pipeline.fit.grams import make_grams
from pipeline.fit.linalg import backend
from pipeline.fit.memory import refit_block_size
from pipeline.fit.regression import Regression
from pipeline.fit.solver import solve_at
from pipeline.fit.sums import FixedSums
from pipeline.fit.weights_file import KeptBand, WeightsFile

ROWS = 34_000
GIGABYTES = 16
FIT_HOURS = 5.2  # of the same subject's nested fit (docs/fitting.md)


def main() -> None:
    """Solve and write one block, and project."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--voxels", type=int, default=512)
    parser.add_argument("--points", type=int, default=12, help="different alphas of wide bands")
    arguments = parser.parse_args()
    design, n = make_design(arguments.rows, 1), arguments.voxels
    stories = list(design.bands[0].values)
    n_rows, folds = STORY * len(stories), dict.fromkeys(stories, 0)
    gram_seconds, grams = timed(lambda: make_grams(design.bands, folds))
    regression = Regression(design, make_responses(design, n), folds, ALPHAS)
    product_seconds, engine = timed(
        lambda: GramEngine(FixedSums(regression, backend("cpu"), grams))
    )
    one = np.full((2, n), 100.0)
    one_seconds, _ = timed(lambda: solve_at(engine, one, ()))
    points = np.array([(a, b) for a in ALPHAS for b in (*ALPHAS, np.inf)])[: arguments.points]
    alphas = points[np.arange(n) % len(points)].T
    all_seconds, (weights, intercept) = timed(lambda: solve_at(engine, alphas, ()))
    factorisation = max(all_seconds - one_seconds, 0.0) / (len(points) - 1)
    bands = [
        (b, KeptBand(b.name, BandOptions("eng1000"), tuple(b.delays), Preparation(), None, {}))
        for b in design.bands
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.h5"
        with WeightsFile.create(path, bands=bands, n_voxels=n, summed=False, attributes={}) as file:
            write_seconds, _ = timed(
                lambda: file.write(slice(0, n), design.bands, weights, intercept)
            )
        size = os.path.getsize(path)
    block = refit_block_size(VOXELS, GIGABYTES, "gram", ROWS, design.n_columns, 2)
    n_blocks = -(-VOXELS // block)
    whole = ROWS / n_rows
    solve_voxel = max(one_seconds - factorisation, 0.0) / n
    each_voxel = product_seconds * whole / n + solve_voxel + write_seconds / n
    each_block = factorisation * len(points)
    seconds = gram_seconds * whole + n_blocks * each_block + VOXELS * each_voxel
    write(
        "full_weights",
        "weights of one model at known alphas, 5,740 columns; projected for 95,556 voxels",
        "the nested fit that chose the alphas (benchmarks.full_size)",
        rows=n_rows,
        voxels=n,
        points=len(points),
        gram_seconds=gram_seconds,
        product_seconds=product_seconds,
        factorisation_seconds=factorisation,
        solve_seconds_one_point=one_seconds,
        write_seconds=write_seconds,
        bytes_per_voxel=size / n,
        blocks_at_16_gb=n_blocks,
        projected_gigabytes=size / n * VOXELS / 1e9,
        projected_seconds=seconds,
        share_of_the_fit=seconds / (FIT_HOURS * 3600),
    )


if __name__ == "__main__":
    execute(main)
