"""How much of what a language model gains is kept by bands that can be read, on a real subject.

    python -m benchmarks.readable --config FILE [OVERLAY ...] --bands meaning meaning+followed
        [--subject UTS01] [--base eng1000 wordrate position] [--whole llm] [--n-components 100]

For each entry of `--bands` (bands of the configuration joined by +) the gain in out-of-fold r over
the base bands, mean over components and training stories, with an interval over stories, and its
share of the gain of `--whole`, the named alternative. Every choice is nested inside the folds,
memories of passages too; test stories are not read. Needs the features of a run:
`snakemake features --configfile FILE [OVERLAY ...]`.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

import numpy as np
from snakemake.utils import update_config

from benchmarks.common import execute, timed, write
from benchmarks.real_fit import make_regression
from pipeline.config.load import complete, read_file
from pipeline.config.stories import training_stories
from pipeline.core.interval import story_mean
from pipeline.fit.cross_validation import fit_block, make_solver
from pipeline.fit.regression import Regression


def out_of_fold(
    config: dict[str, Any], subject: str, bands: list[str], n: int | None
) -> np.ndarray:
    """Mean out-of-fold r of each training story by a model of some bands, (n_stories,).

    Parameters
    ----------
    config : dict
        Complete configuration.
    subject : str
    bands : list of str
    n : int or None
        Components that take the place of each wider band's columns; None, as configured.
    """
    regression = regression_of(config, subject, bands, n)
    fit = fit_block(regression, make_solver("gram", regression))
    return np.nanmean(fit.r_train, axis=1)


def merged(paths: list[str]) -> dict[str, Any]:
    """A configuration and its overlays, as Snakemake merges them."""
    config: dict[str, Any] = {}
    for path in paths:
        update_config(config, read_file(path))
    return complete(config)


def regression_of(
    config: dict[str, Any], subject: str, bands: list[str], n: int | None
) -> Regression:
    """The regression of some bands on a subject's training stories; parameters as above."""
    wide = [band for band in bands if config["features"][band].get("n_components") is not None]
    changes = {band: {"n_components": n} for band in wide} if n else {}
    return make_regression(
        config, subject, bands, training_stories(config, subject), None, **changes
    )


def options(description: str) -> argparse.ArgumentParser:
    """What bands are compared with, and on whom."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--config", nargs="+", required=True, help="and overlays")
    parser.add_argument("--subject", default="UTS01")
    parser.add_argument("--base", nargs="+", default=["eng1000", "wordrate", "position"])
    parser.add_argument("--whole", default="llm", help="the black box, the named alternative")
    parser.add_argument("--n-components", type=int, default=None)
    return parser


def main() -> None:
    """Measure, print the table, write the record."""
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--bands", nargs="+", required=True)
    parser.add_argument("--name", default="readable", help="of the record in benchmarks/results")
    given = parser.parse_args()
    config, n = merged(given.config), given.n_components
    base = out_of_fold(config, given.subject, given.base, n)
    print(f"base {'+'.join(given.base)}: r {base.mean():.4f}, {len(base)} stories", flush=True)
    rows: list[dict[str, Any]] = []
    for entry in [given.whole, *given.bands]:
        bands = [*given.base, *entry.split("+")]
        seconds, r = timed(partial(out_of_fold, config, given.subject, bands, n))
        gain, low, high = story_mean(r - base).interval
        whole = rows[0]["gain"] if rows else gain
        row = {"bands": entry, "gain": gain, "low": low, "high": high, "share": gain / whole}
        rows.append({key: v if isinstance(v, str) else round(v, 4) for key, v in row.items()})
        line = f"{entry}: {gain:+.4f} ({low:+.4f} to {high:+.4f}), {gain / whole:.0%}"
        print(f"{line} of {given.whole}'s, {seconds:.0f} CPU s", flush=True)
    write(
        given.name,
        "gain in out-of-fold r over the base bands, training stories",
        given.whole,
        subject=given.subject,
        base="+".join(given.base),
        base_r=round(float(base.mean()), 4),
        n_components=n,
        n_stories=len(base),
        gains=rows,
    )


if __name__ == "__main__":
    execute(main)
