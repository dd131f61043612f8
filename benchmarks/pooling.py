"""Alphas chosen by scores that voxels share, or by each voxel's own, on real data.

    python -m benchmarks.pooling [--rows 3000] [--starts 0 8000]

Needs features made by `snakemake features --configfile config/realdata.yaml`. Both are nested fits
of the same stories; compared are out-of-fold r, of which nothing was chosen, and CPU seconds (set
OMP_NUM_THREADS=1). Test stories are not read.
"""

from __future__ import annotations

import argparse
from unittest.mock import patch

import numpy as np

from benchmarks.common import execute, timed, write
from benchmarks.real_fit import make_regression, stories_of
from pipeline.config.load import load
from pipeline.fit.cross_validation import choose_solver, fit_block, make_solver
from pipeline.fit.regression import Regression


def measured(regression: Regression) -> tuple[float, float]:
    """Mean out-of-fold r over stories and voxels, and CPU seconds."""
    name = choose_solver("auto", regression.n_rows, regression.design.n_columns, regression.n_folds)
    seconds, fit = timed(lambda: fit_block(regression, make_solver(name, regression)))
    return float(np.nanmean(fit.r_train)), seconds


def main() -> None:
    """Fit some sets of stories of every subject both ways."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", default="config/realdata.yaml")
    parser.add_argument("--model", default="ngram")
    parser.add_argument("--rows", type=int, default=3000, help="training TRs, whole stories")
    parser.add_argument("--starts", type=int, nargs="+", default=[0, 8000], help="first TRs")
    arguments = parser.parse_args()
    config = load(arguments.config)
    names, sets = config["models"][arguments.model], []
    for subject in config["subjects"]:
        for start in arguments.starts:
            stories = stories_of(config, subject, arguments.rows, start)
            regression = make_regression(config, subject, names, stories)
            r, seconds = measured(regression)
            with patch("pipeline.fit.search.pooled", lambda scores, *_: scores):
                r_own, seconds_own = measured(regression)
            sets.append(
                {
                    "subject": subject,
                    "start": start,
                    "rows": regression.n_rows,
                    "r": r,
                    "r_own_scores": r_own,
                    "seconds": seconds,
                    "seconds_own_scores": seconds_own,
                }
            )
            print(sets[-1], flush=True)
    write(
        f"pooling_{arguments.rows}",
        f"nested fit of {'+'.join(names)}: mean out-of-fold r and CPU seconds, alphas chosen by "
        "scores that voxels share",
        "the same, every voxel by its own scores",
        sets=sets,
        ratio_seconds=float(np.mean([s["seconds_own_scores"] / s["seconds"] for s in sets])),
        ratio_r=float(np.mean([s["r"] for s in sets]) / np.mean([s["r_own_scores"] for s in sets])),
    )


if __name__ == "__main__":
    execute(main)
