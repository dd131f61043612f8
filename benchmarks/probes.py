"""Nested fits whose voxels are scored at a few points, against all at all points, on real data.

    python -m benchmarks.probes [--subject UTS03] [--model drift] [--rows 3000] [--voxels 2000]
        [--noise 6]

Needs features made by `snakemake features --configfile config/realdata.yaml`. A subject's
components are mixed to pseudo-voxels, most of which are hardly predicted, as in a brain. Compared
are CPU seconds (set OMP_NUM_THREADS=1) and every voxel's out-of-fold r; reference voxels, which are
scored at all points in either, are left out of the latter.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.common import REFERENCE, changes, execute, timed, write
from benchmarks.pseudo_voxels import PseudoVoxels
from benchmarks.real_fit import make_regression, stories_of
from pipeline.config.load import load
from pipeline.fit.cross_validation import choose_solver, fit_block, make_solver
from pipeline.fit.pooling import reference_voxels
from pipeline.fit.regression import Regression
from pipeline.fit.solver import SearchSolver

PREDICTED = 0.05  # r of voxels of which changes matter
NOISE, SPREAD = 6.0, 1.2  # median variance of noise over signal, and spread of its logarithm


def as_voxels(
    regression: Regression, n_voxels: int, n_reference: int, noise: float = NOISE
) -> Regression:
    """The regression with components mixed to voxels, noise of each another."""
    components = regression.responses
    mixed = PseudoVoxels.make(list(components.values()), n_voxels, seed=0)
    spread = np.exp(SPREAD * np.random.default_rng(0).standard_normal(n_voxels))
    mixed = replace(mixed, noise=noise * spread)
    responses = {s: mixed.bold(y, s).astype(np.float32) for s, y in components.items()}
    return replace(regression, responses=responses, reference=_reference(n_voxels, n_reference))


def _reference(n_voxels: int, n: int) -> np.ndarray:
    return np.array(reference_voxels(n_voxels, n))


def measured(regression: Regression) -> tuple[np.ndarray, dict[str, Any]]:
    """Mean out-of-fold r of every voxel; CPU seconds, and how many points each search used."""
    n_columns = regression.design.n_columns
    name = choose_solver("auto", regression.n_rows, n_columns, regression.n_folds)
    solver = make_solver(name, regression)
    assert isinstance(solver, SearchSolver)
    seconds, fit = timed(lambda: fit_block(regression, solver))
    guide = solver.guided.guide
    searches = range(regression.n_folds + 1)
    plans = [guide.plan(k) for k in searches]
    return np.nanmean(fit.r_train, axis=0), {
        "solver": name,
        "seconds": seconds,
        "first_probes": [len(plan.first.probes) for plan in plans],
        "probes": [len(plan.last.probes) for plan in plans],
        "exact": [plan.last.exact for plan in plans],
        "points": [len(guide.found(k).points) for k in searches],
    }


def main() -> None:
    """Fit both ways and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", default="config/realdata.yaml")
    parser.add_argument("--subject", default="UTS03")
    parser.add_argument("--model", default="drift")
    parser.add_argument("--rows", type=int, default=3000, help="training TRs, whole stories")
    parser.add_argument("--voxels", type=int, default=2000)
    parser.add_argument("--reference", type=int, default=REFERENCE)
    parser.add_argument("--noise", type=float, default=NOISE, help="median variance, over signal")
    arguments = parser.parse_args()
    config = load(arguments.config)
    names = config["models"][arguments.model]
    stories = stories_of(config, arguments.subject, arguments.rows)
    regression = make_regression(config, arguments.subject, names, stories)
    regression = as_voxels(regression, arguments.voxels, arguments.reference, arguments.noise)
    r, figures = measured(regression)
    print(figures, flush=True)
    with patch("pipeline.fit.probes.ENOUGH", np.inf):
        exact, alternative = measured(regression)
    reference = _reference(arguments.voxels, arguments.reference)
    others = np.setdiff1d(np.arange(arguments.voxels), reference)
    noisier = "" if arguments.noise == NOISE else f"_noise_{arguments.noise:g}"
    write(
        f"probes_{arguments.subject}_{arguments.model}_{arguments.rows}{noisier}",
        f"nested fit of {'+'.join(names)}, pseudo-voxels scored at probes only",
        "the same, all voxels scored at all points",
        subject=arguments.subject,
        rows=regression.n_rows,
        columns=regression.design.n_columns,
        voxels=arguments.voxels,
        noise=arguments.noise,
        reference_voxels=len(reference),
        **figures,
        seconds_all_points=alternative["seconds"],
        **changes(r[others], exact[others], PREDICTED),
    )


if __name__ == "__main__":
    execute(main)
