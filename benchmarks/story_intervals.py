"""Coverage of intervals over training stories of out-of-fold r, on simulated stories.

    python -m benchmarks.story_intervals [--tables 1000]

A table is one fit: voxels that follow some features or none, ridge regression with an alpha for
each voxel that is chosen by cross-validation within the other folds, r of each story predicted
from these. The mean over voxels and stories, of a model's r and of the difference to a model of
fewer features, has an interval that takes stories for independent (`interval`), the pipeline's
(`story_mean`), and that of Nadeau & Bengio (2003, Mach. Learn. 52:239-281) over folds, whose means
have the variance 1/k + n_test / n_train of theirs.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from benchmarks.common import timed, write
from pipeline.core.interval import interval, reach, story_mean
from pipeline.core.series import pearson

ROWS, VOXELS, FEATURES = 60, 20, 10  # of a story; features of the base, and as many added
TOGETHER = 0.5  # correlation of the noise of two voxels
DIFFER = 0.3  # standard deviation over stories of how large the effect is, of its mean
SIZES = ((8, 8), (8, 5), (26, 5), (93, 5))  # stories and folds
BASE, ADDED = (1, 1e2, 1e4), (1, 10, 1e2, 1e3, 1e4, 1e6)  # alphas


@dataclass(frozen=True)
class World:
    """Standard deviation of what the features give, over that of the noise."""

    base: float = 0.0
    added: float = 0.0

    def story_r(
        self, rng: np.random.Generator, n: int, k: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Out-of-fold r by story of the base and of both, and the stories' folds, all (n,)."""
        truth = np.random.default_rng(0).standard_normal((2 * FEATURES, VOXELS))  # of all tables
        truth *= np.repeat([self.base, self.added], FEATURES)[:, None] / np.sqrt(FEATURES)
        x = rng.standard_normal((n, ROWS, 2 * FEATURES))
        size = 1 + DIFFER * rng.standard_normal((n, 1, 1))
        noise = np.sqrt(1 - TOGETHER) * rng.standard_normal((n, ROWS, VOXELS))
        noise += np.sqrt(TOGETHER) * rng.standard_normal((n, ROWS, 1))
        y, fold = size * (x @ truth) + noise, rng.permutation(np.arange(n) % k)
        base = out_of_fold(x[..., :FEATURES], y, fold, [(a,) for a in BASE])
        both = out_of_fold(x, y, fold, list(product(BASE, ADDED)))
        return base, both, fold


WORLDS = {
    "no effect": World(),
    "small": World(0.05, 0.05),
    "large": World(1.0, 1.0),
    "large, nothing added": World(1.0, 0.0),
}


def out_of_fold(
    x: np.ndarray, y: np.ndarray, fold: np.ndarray, alphas: Sequence[tuple[float, ...]]
) -> np.ndarray:
    """Mean r over voxels of every story, by ridge regression on the other folds, (n_stories,).

    Parameters
    ----------
    x, y : arrays of shape (n_stories, n_rows, n_features) and (n_stories, n_rows, n_voxels)
    fold : array of int, shape (n_stories,)
    alphas : sequence of tuples
        Candidates: an alpha for each `FEATURES` features. A voxel's is chosen within other folds.
    """
    k = fold.max() + 1
    xx, xy = x.swapaxes(1, 2) @ x, x.swapaxes(1, 2) @ y
    xx, xy = (np.array([s[fold == f].sum(axis=0) for f in range(k)]) for s in (xx, xy))
    ridge = np.array([np.diag(np.repeat(own, FEATURES)) for own in alphas])
    r = np.empty(len(y))
    for f in range(k):
        others = np.flatnonzero(np.arange(k) != f)
        error = np.zeros((len(alphas), y.shape[2]))
        for g in others:
            inner = others[others != g]
            weights = np.linalg.solve(xx[inner].sum(axis=0) + ridge, xy[inner].sum(axis=0)[None])
            error += ((xx[g] @ weights) * weights - 2 * weights * xy[g]).sum(axis=1)
        weights = np.linalg.solve(xx[others].sum(axis=0) + ridge, xy[others].sum(axis=0)[None])
        chosen = weights[error.argmin(axis=0), :, np.arange(y.shape[2])].T
        for story in np.flatnonzero(fold == f):
            r[story] = pearson(x[story] @ chosen, y[story]).mean()
    return r


def over_folds(by_story: np.ndarray, fold: np.ndarray) -> tuple[float, float, float]:
    """The corrected interval of Nadeau & Bengio, of the mean over folds."""
    k = fold.max() + 1
    each = np.array([by_story[fold == f].mean() for f in range(k)])
    half = reach(k) * each.std(ddof=1) * np.sqrt(1 / k + 1 / (k - 1))
    return float(each.mean()), float(each.mean() - half), float(each.mean() + half)


def rates(values: np.ndarray, folds: np.ndarray) -> dict[str, float]:
    """What intervals of many tables, (n_tables, n_stories), say.

    Returns
    -------
    dict
        `expected`, the mean of all tables; `variance`, that of their means over what independent
        stories would have; for each interval, how often it holds the expected value (`holds`), is
        above 0 (`above_0`) and below (`below_0`), and its width over that of `independent`.
    """
    expected, n = values.mean(), values.shape[1]
    found = {
        "expected": expected,
        "variance": values.mean(axis=1).var(ddof=1) / (values.var(axis=1, ddof=1).mean() / n),
    }
    ends = {
        "independent": np.array([interval(own) for own in values]),
        "story_mean": np.array([story_mean(own).interval for own in values]),
        "over_folds": np.array([over_folds(*own) for own in zip(values, folds, strict=True)]),
    }
    width = np.diff(ends["independent"][:, 1:]).mean()
    for name, (_, low, high) in ((name, own.T) for name, own in ends.items()):
        found[f"{name}_holds"] = ((low <= expected) & (expected <= high)).mean()
        found[f"{name}_above_0"] = (low > 0).mean()
        found[f"{name}_below_0"] = (high < 0).mean()
        found[f"{name}_width"] = (high - low).mean() / width
    return {key: round(float(value), 4) for key, value in found.items()}


def measure(world: World, n: int, k: int, n_tables: int, seed: int = 0) -> dict[str, Any]:
    """Rates of a model's r, and of the difference that the added features make."""
    rng = np.random.default_rng(seed)
    tables = [world.story_r(rng, n, k) for _ in range(n_tables)]
    base, both, folds = (np.array(part) for part in zip(*tables, strict=True))
    return {"r": rates(base, folds), "difference": rates(both - base, folds)}


def main() -> None:
    """Simulate, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=1000)
    n_tables = parser.parse_args().tables
    figures: dict[str, dict[str, Any]] = {}
    seconds = 0.0
    for (n, k), (name, world) in product(SIZES, WORLDS.items()):
        own, found = timed(partial(measure, world, n, k, n_tables))
        seconds += own
        figures.setdefault(f"{n} stories, {k} folds", {})[name] = found
        print(n, k, name, found, flush=True)
    write(
        "story_intervals",
        f"95 % intervals over training stories of out-of-fold r, mean of {VOXELS} voxels: rates of "
        "simulated fits, alphas chosen within the other folds",
        "the interval that takes stories for independent",
        tables=n_tables,
        sizes=figures,
        seconds=round(seconds, 1),
    )


if __name__ == "__main__":
    main()
