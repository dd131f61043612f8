"""Fit of two bands for one real subject, against the unavoidable matrix products.

    python -m benchmarks.real_fit [--subject UTS03] [--matcher ngram] [--n-components 300]

Needs features made by `snakemake features --configfile config/realdata.yaml`. The named alternative
is the time of the products that no solver can avoid: X'X and X'Y of every training story, once.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from benchmarks.common import execute, need, write
from pipeline.bands.registry import BandOptions, band_options
from pipeline.config.load import load
from pipeline.config.stories import training_stories
from pipeline.dataset.dataset import Dataset
from pipeline.fit.cross_validation import BlockFit, fit_block, make_solver
from pipeline.fit.design import Band, Design, load_band
from pipeline.fit.options import Alphas, training_folds
from pipeline.fit.pooling import reference_voxels
from pipeline.fit.regression import Regression


def load_bands(
    config: dict, subject: str, names: list[str], train: list[str], test: list[str], **changes: Any
) -> tuple[Band, ...]:
    """Bands of a subject as the workflow left them; `changes` are options, by band."""
    loaded = []
    for name in names:
        given = band_options(config, name).as_mapping() | changes.get(name, {})
        options = BandOptions.read(given)
        folder = f"results/{config['name']}"
        if options.source != "stimulus":
            folder += f"/sub-{subject}"
        command = f"snakemake features --configfile config/{config['name']}.yaml"
        path = need(f"{folder}/features/{name}.h5", command)
        loaded.append(
            load_band(name, path, options=options, delays=config["delays"], train=train, test=test)
        )
    return tuple(loaded)


def stories_of(config: dict, subject: str, n_rows: int, start: int = 0) -> list[str]:
    """Whole training stories, in their order, from row `start` on: of `n_rows` or just more."""
    dataset = Dataset.from_config(config)
    stories = training_stories(config, subject)
    ends = np.cumsum([dataset.grid(story).n_rows for story in stories])
    first, last = np.searchsorted(ends, [start, start + n_rows], side="left")
    return stories[first + (start > 0) : last + 1]


def make_regression(
    config: dict,
    subject: str,
    names: list[str],
    train: list[str],
    test: list[str] | None = None,
    **changes: Any,
) -> Regression:
    """The regression of the bands `names`, as the workflow poses it; `changes` as above."""
    dataset, fit = Dataset.from_config(config), config["fit"]
    n_voxels = dataset.n_voxels(subject, train[0])
    return Regression(
        Design(load_bands(config, subject, names, train, test or [], **changes)),
        {story: dataset.read_responses(subject, story) for story in train},
        training_folds(train, {s: dataset.grid(s).n_rows for s in train}, fit["n_folds"], 0),
        Alphas(**fit["alphas"]).values(),
        fit["refinements"],
        reference=np.array(reference_voxels(n_voxels, fit["reference_voxels"])),
    )


def timed(work) -> float:
    """Seconds that `work()` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def unavoidable(regression: Regression) -> float:
    """Seconds of X'X and X'Y alone, the rows being there."""
    seconds = 0.0
    for story in regression.stories():
        X, Y = regression.design.rows(story), regression.responses[story]
        seconds += timed(lambda X=X, Y=Y: (X.T @ X, X.T @ Y))
    return seconds


def main() -> None:
    """Time the products, the plain fit and the nested one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", default="config/realdata.yaml")
    parser.add_argument("--subject", default="UTS03")
    parser.add_argument("--matcher", default="ngram")
    parser.add_argument("--n-components", type=int, default=None, help="of Eng1000; all by default")
    parser.add_argument("--plain-only", action="store_true", help="leave the nested fit out")
    arguments = parser.parse_args()
    config = load(arguments.config)
    bands = ["eng1000", arguments.matcher]
    regression = make_regression(
        config,
        arguments.subject,
        bands,
        training_stories(config, arguments.subject),
        eng1000={"n_components": arguments.n_components},
    )
    products = unavoidable(regression)
    print(f"unavoidable products: {products:.1f} s")
    plain = timed(lambda: make_solver("gram", regression).fit(None))
    print(f"one search and fit: {plain:.1f} s")
    figures = {"plain_seconds": plain, "ratio_plain": plain / products}
    if not arguments.plain_only:
        fits: list[BlockFit] = []
        nested = timed(lambda: fits.append(fit_block(regression, make_solver("gram", regression))))
        print(f"nested fit: {nested:.1f} s")
        figures |= {"nested_seconds": nested, "ratio_nested": nested / products}
        figures["mean_r_out_of_fold"] = float(fits[0].r_train.mean())
    write(
        f"real_fit_{arguments.n_components or 'full'}",
        f"cross-validated fit of {'+'.join(bands)}, {arguments.subject}: one search over the folds "
        "and the final fit (plain), with out-of-fold predictions of every fold (nested)",
        "X'X and X'Y of every training story, once",
        rows=sum(len(y) for y in regression.responses.values()),
        columns=regression.design.n_columns,
        voxels=int(next(iter(regression.responses.values())).shape[1]),
        folds=regression.n_folds,
        alphas=len(regression.alphas),
        alternative_seconds=products,
        **figures,
    )


if __name__ == "__main__":
    execute(main)
