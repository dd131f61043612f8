"""A subject of full size, a few blocks of voxels: time, peak memory, projection for the whole.

    python -m benchmarks.full_size [--rows 34000] [--voxels 512 2048 1024] [--check]

The shape is that of ds003020: Eng1000 (985 columns, 4 delays) and matches (300 columns, 6 delays)
side by side, 95,556 voxels. Responses are made block by block, as a job would read them. Times are
CPU seconds (set OMP_NUM_THREADS=1). Reference voxels are searched once, as in a job. Each block is
one point; the first two give the line from which the whole is projected, the prediction for a third
(if given) is the check. With --check the last block is fitted once more with all voxels scored at
all points: seconds, and by how much r changes.
"""

from __future__ import annotations

import argparse
import resource
import time
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.common import REFERENCE, changes, execute, timed, write
from pipeline.fit.cross_validation import fit_block, make_guide, make_solver
from pipeline.fit.design import Band, Design
from pipeline.fit.grams import DesignGrams, make_grams
from pipeline.fit.guided import Guide
from pipeline.fit.memory import block_size, fixed_bytes, voxel_bytes
from pipeline.fit.options import training_folds
from pipeline.fit.regression import Regression

VOXELS = 95_556
KNOWN = 0.05  # r of voxels of which changes matter
ROWS, STORY = 34_000, 340  # of all stories, and of one
PREDICTED, SHARES = 0.25, (0.01, 0.2)  # share of the voxels, and of their variance
ALPHAS = np.logspace(0, 5, 6)


def make_design(rows: int, shrink: int) -> Design:
    """Smooth random features in the shape of the real ones, columns divided by `shrink`."""
    rng = np.random.default_rng(0)
    stories = [f"s{i}" for i in range(max(rows // STORY, 5))]
    bands = []
    for name, n, delays in (("eng1000", 985, range(1, 5)), ("matches", 300, range(1, 7))):
        values = {}
        for story in stories:
            noise = rng.standard_normal((STORY + 2, n // shrink), np.float32)
            values[story] = (noise[:-2] + noise[1:-1] + noise[2:]) / np.float32(np.sqrt(3))
        bands.append(Band(name, values, tuple(delays), (1.0,) * len(delays)))
    return Design(tuple(bands))


def make_responses(design: Design, n_voxels: int, seed: int = 1) -> dict[str, np.ndarray]:
    """Responses of voxels of several kinds, as in a brain: most follow nothing.

    A quarter follows the first band, the second or both, by 1 to 20 % of its variance.
    """
    rng = np.random.default_rng(seed)
    low, high = np.log(SHARES)
    share = np.exp(rng.uniform(low, high, n_voxels)) * (rng.random(n_voxels) < PREDICTED)
    of_first = rng.choice([0.0, 0.5, 1.0], n_voxels)
    mixing = rng.standard_normal((design.n_columns, n_voxels), np.float32)
    for columns, part in zip(design.slices, (of_first, 1 - of_first), strict=True):
        n_columns = columns.stop - columns.start
        mixing[columns] *= np.sqrt(share * part / n_columns).astype(np.float32)
    responses = {}
    for story in design.bands[0].values:
        signal = design.rows(story) @ mixing
        noise = rng.standard_normal(signal.shape, np.float32)
        responses[story] = signal + np.sqrt(1 - share).astype(np.float32) * noise
    return responses


def peak_gb() -> float:
    """Largest memory of this process so far, GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def _probes(guide: Guide, n_folds: int) -> list[int]:
    """At how many points each search scored voxels, at most."""
    return [len(guide.plan(k).last.probes) for k in range(n_folds + 1)]


def main() -> None:
    """Fit blocks of several sizes, and project."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--voxels", type=int, nargs="+", default=[256, 1024])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--shrink", type=int, default=1, help="divide the columns by this")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--check", action="store_true", help="against all points")
    arguments = parser.parse_args()
    design = make_design(arguments.rows, arguments.shrink)
    n_rows = dict.fromkeys(design.bands[0].values, STORY)
    folds = training_folds(list(n_rows), n_rows, arguments.folds, seed=0)
    started = time.process_time()
    grams = make_grams(design.bands, folds)
    gram_seconds = time.process_time() - started
    print(f"Gram matrices, once a subject: {gram_seconds:.0f} s", flush=True)
    shape: dict[str, Any] = {
        "solver": "gram",
        "n_rows": sum(n_rows.values()),
        "n_columns": design.n_columns,
        "n_folds": arguments.folds,
    }
    given: dict[str, Any] = {"design": design, "folds": folds, "alphas": ALPHAS}
    shared = DesignGrams(grams)
    of_reference = Regression(responses=make_responses(design, REFERENCE, seed=2), **given)

    def search() -> Guide:
        return make_guide("gram", of_reference, arguments.device, shared).complete()

    guide_seconds, guide = timed(search)
    print(f"reference voxels, once a job: {guide_seconds:.0f} s", flush=True)
    points = []
    for n_voxels in arguments.voxels:
        regression = Regression(
            responses=make_responses(design, n_voxels),
            reference=np.full(n_voxels, -1),
            **given,
        )
        started, wall = time.process_time(), time.perf_counter()
        solver = make_solver("gram", regression, arguments.device, shared, guide)
        fit = fit_block(regression, solver)
        predicted = fixed_bytes(**shape, n_bands=2)
        predicted += n_voxels * voxel_bytes(**shape, n_narrow=1)
        points.append(
            {
                "voxels": n_voxels,
                "seconds": time.process_time() - started,
                "wall_seconds": time.perf_counter() - wall,
                "peak_gb": peak_gb(),
                "stated_gb": predicted / 1e9,
                "mean_r_out_of_fold": float(np.nanmean(fit.r_train)),
            }
        )
        print(points[-1], flush=True)
    block = block_size(VOXELS, 16, n_bands=2, n_narrow=1, n_reference=REFERENCE, **shape)
    figures: dict[str, Any] = {"voxels_per_block_at_16_gb": block}
    if len(points) > 1:
        (x0, y0), (x1, y1) = ((p["voxels"], p["seconds"]) for p in points[:2])
        slope = (y1 - y0) / (x1 - x0)
        fixed = y0 - slope * x0
        n_blocks = -(-VOXELS // block)
        products = 2 * shape["n_rows"] * design.n_columns
        figures |= {
            "seconds_per_voxel": slope,
            "seconds_per_block": fixed,
            "blocks": n_blocks,
            "projected_hours_whole_subject": (guide_seconds + n_blocks * fixed + VOXELS * slope)
            / 3600,
            "flops_of_products_per_voxel": products,
            "projected_seconds": [fixed + slope * p["voxels"] for p in points],
        }
    if arguments.check:
        with patch("pipeline.fit.probes.ENOUGH", np.inf):
            plain = make_solver("gram", regression, arguments.device, shared, search())
            seconds, exact = timed(lambda: fit_block(regression, plain))
        r, r_exact = (np.nanmean(found.r_train, axis=0) for found in (fit, exact))
        figures |= {"seconds_all_points": seconds, **changes(r, r_exact, KNOWN)}
    rows = "" if arguments.rows == ROWS else f"_rows_{arguments.rows}"
    write(
        f"full_size{rows}" if arguments.shrink == 1 else f"full_size_shrunk_{arguments.shrink}",
        "nested cross-validated fit of blocks of voxels of a synthetic subject of full size; "
        "projection for 95,556 voxels",
        "the last block, all its voxels scored at all points" if arguments.check else "none",
        rows=shape["n_rows"],
        columns=design.n_columns,
        folds=arguments.folds,
        alphas=len(ALPHAS),
        device=arguments.device,
        gram_seconds=gram_seconds,
        reference_seconds=guide_seconds,
        points_of_searches=[len(guide.found(k).points) for k in range(arguments.folds + 1)],
        probes_of_searches=_probes(guide, arguments.folds),
        points=points,
        **figures,
    )


if __name__ == "__main__":
    execute(main)
