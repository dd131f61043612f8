"""How the time of a fit grows with TRs, features, voxels and bands.

    python -m benchmarks.fit_growth

Synthetic bands of 100 smooth features with two delays each, one quantity doubled at a time, the
others as in `BASE`. CPU seconds (set OMP_NUM_THREADS=1) of one search over five folds and the final
fit, beside those of the products that no solver can avoid: X'X and X'Y of every story, once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.common import REFERENCE, execute, write
from pipeline.bands.registry import BandOptions
from pipeline.fit.cross_validation import choose_solver, make_solver
from pipeline.fit.design import Band, Design, make_band
from pipeline.fit.options import training_folds
from pipeline.fit.pooling import reference_voxels
from pipeline.fit.regression import Regression

STORY = 200  # rows
DELAYS = (1, 2)
ALPHAS = np.logspace(0, 5, 6)
BASE = {"rows": 2000, "features": 200, "voxels": 200, "bands": 2}  # features in all bands together
DOUBLINGS = {"rows": 3, "features": 3, "voxels": 3, "bands": 3}


def make_regression(
    rows: int, features: int, voxels: int, bands: int, n_folds: int = 5
) -> Regression:
    """Random bands, and responses that every second voxel takes from the first of them."""
    rng = np.random.default_rng(0)
    stories = [f"s{i}" for i in range(rows // STORY)]
    made = [make_band_of(rng, f"b{b}", stories, features // bands) for b in range(bands)]
    responses = {s: rng.standard_normal((STORY, voxels), np.float32) for s in stories}
    mixing = rng.standard_normal((made[0].n_columns, voxels), np.float32) * 0.3
    mixing[:, ::2] = 0
    for story in stories:
        responses[story] += made[0].rows(story) @ mixing
    folds = training_folds(stories, dict.fromkeys(stories, STORY), n_folds, seed=0)
    reference = np.array(reference_voxels(voxels, REFERENCE))
    return Regression(Design(tuple(made)), responses, folds, ALPHAS, reference=reference)


def make_band_of(rng: np.random.Generator, name: str, stories: list[str], n: int) -> Band:
    """A band of `n` smooth random features, scaled as the workflow's are."""
    values = {}
    for story in stories:
        noise = rng.standard_normal((STORY + 2, n))
        values[story] = noise[:-2] + noise[1:-1] + noise[2:]
    return make_band(name, values, BandOptions("eng1000"), DELAYS, stories)


def cpu_seconds(work: Callable[[], Any]) -> float:
    """CPU seconds of `work()`, this process alone."""
    started = time.process_time()
    work()
    return time.process_time() - started


def measure(shape: dict[str, int]) -> dict[str, Any]:
    """Time of a fit of this shape, and of its products."""
    regression = make_regression(**shape)
    n_columns = regression.design.n_columns
    name = choose_solver("auto", regression.n_rows, n_columns, regression.n_folds)
    rows = {s: regression.design.rows(s) for s in regression.responses}
    products = cpu_seconds(
        lambda: [(x.T @ x, x.T @ regression.responses[s]) for s, x in rows.items()]
    )
    seconds = cpu_seconds(lambda: make_solver(name, regression).fit(None))
    point = shape | {"solver": name, "columns": n_columns, "seconds": seconds}
    point |= {"products_seconds": products, "ratio_products": seconds / products}
    print(point, flush=True)
    return point


def main() -> None:
    """Double each quantity a few times, and fit the exponent of the growth."""
    measure(BASE)  # warm up
    growth = {}
    for quantity, doublings in DOUBLINGS.items():
        sizes = [BASE[quantity] * 2**k for k in range(doublings + 1)]
        points = [measure(BASE | {quantity: size}) for size in sizes]
        seconds = [point["seconds"] for point in points]
        exponent = float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
        growth[quantity] = {"exponent": exponent, "points": points}
    write(
        "fit_growth",
        "one cross-validated fit (search over 5 folds and refit), one quantity doubled at a time; "
        "exponents of the power law through the points",
        "X'X and X'Y of every story, once",
        growth=growth,
        base=BASE,
        alphas=len(ALPHAS),
    )


if __name__ == "__main__":
    execute(main)
