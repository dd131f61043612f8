"""Fit one model of one subject, block of voxels by block of voxels, and write all that follows."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.progress import chunks, track
from pipeline.core.series import neutral, pearson
from pipeline.dataset.dataset import Dataset
from pipeline.fit.attribution import band_parts, band_shares
from pipeline.fit.cross_validation import choose_solver, fit_block, make_guide, make_solver
from pipeline.fit.design import Design
from pipeline.fit.elimination import combinations, split
from pipeline.fit.file import FitFile, at_edges
from pipeline.fit.grams import DesignGrams, GramFile
from pipeline.fit.memory import block_size
from pipeline.fit.options import Alphas, FitOptions, band_scalings, training_folds
from pipeline.fit.pooling import reference_voxels
from pipeline.fit.regression import Regression, Ridge


def fit_model(
    dataset: Dataset,
    subject: str,
    *,
    design: Design,
    train: Sequence[str],
    test: Sequence[str],
    options: FitOptions,
    attributes: dict[str, Any],
    output: str | Path,
    grams: Sequence[str | Path] = (),
    chunk: tuple[int, int] = (1, 1),
    keep: Sequence[str] = (),
) -> None:
    """Fit banded ridge, predict the test stories and score everything.

    What is written is in `pipeline.fit.file.FitFile`. Test stories are read last and choose
    nothing.

    Parameters
    ----------
    dataset : Dataset
        Where the responses are.
    subject : str
        The subject.
    design : Design
        The model's bands.
    train, test : sequences of str
        The subject's stories.
    options : FitOptions
        Folds, candidates, memory.
    attributes : dict
        Written as attributes of the file.
    output : path
        HDF5 to write.
    grams : sequence of paths
        Gram matrices of the band pairs (`pipeline.fit.grams.GramFile`); empty, they are made
        here.
    chunk : (int, int)
        Fit the i-th of n chunks of the voxels only (1-based); `gather` joins the files.
    keep : sequence of str
        Bands whose weights are written.
    """
    n_rows = {story: dataset.grid(story).n_rows for story in [*train, *test]}
    folds = training_folds(train, n_rows, options.n_folds, options.fold_seed)
    design = design.counting(dataset.counted(subject, train))
    n_train = sum(n_rows[story] for story in train)
    auto = choose_solver(options.solver, n_train, design.n_columns, options.n_folds)
    name = "gram" if grams else auto
    shared = None
    if name == "gram":
        stored = DesignGrams(GramFile.read_all(grams)) if grams else None
        shared = stored or DesignGrams.of(design, folds)
    n_voxels = dataset.n_voxels(subject, train[0])
    voxels = chunk_of(n_voxels, *chunk)
    reference = range(0)  # himalaya's voxels choose alone
    if name != "himalaya":
        reference = reference_voxels(n_voxels, options.reference_voxels)
    with FitFile.create(
        output,
        n_voxels=len(voxels),
        bands=[band.name for band in design.bands],
        train=train,
        test={story: n_rows[story] for story in test},
        copies=bool(_copied(design)),
        weights={band.name: band.n_columns for band in design.bands if band.name in keep},
        regions=dataset.region_names(subject, train[0]),
    ) as file:
        blocks = _blocks(voxels, options, name, n_train, design, len(reference))
        problem = Regression(
            design,
            {},
            folds,
            options.alphas.values(),
            options.refinements,
            band_scalings(len(design.bands), options.n_scalings, options.search_seed),
        )
        guide = None
        if blocks and reference and (blocks[0], len(reference)) != (slice(0, n_voxels), n_voxels):
            spread = dataset.read_counted(subject, train, slice(0, n_voxels, reference.step))
            of_reference = replace(problem, responses=spread)
            guide = make_guide(name, of_reference, options.device, shared).complete()
        for block in track(blocks, f"{subject}: blocks of voxels"):
            regression = replace(
                problem,
                responses=dataset.read_counted(subject, train, block),
                reference=_places(block, reference) if guide else None,
            )
            fit = fit_block(
                regression, make_solver(name, regression, options.device, shared, guide)
            )
            columns = slice(block.start - voxels.start, block.stop - voxels.start)
            r_train, r_cv = fit.r_train, _mean_of_numbers(fit.r_train)
            file.write_training(columns, alpha=fit.final.alpha, r_train=r_train, r_cv=r_cv)
            measured = {story: dataset.read_responses(subject, story, block) for story in test}
            _write_test(file, columns, fit.final, design, measured, dataset.counted(subject, test))
            for band, own_columns in zip(design.bands, design.slices, strict=True):
                if band.name in keep:
                    file.write_weights(columns, band.name, fit.final.weights[own_columns])
        file.write_attributes(attributes | {"solver": name})
        if chunk[1] == 1:
            _write_edges(file, options.alphas)


def chunk_of(n_voxels: int, i: int, n: int) -> range:
    """Voxels of the i-th (1-based) of n nearly equal chunks."""
    return range(n_voxels * (i - 1) // n, n_voxels * i // n)


def gather(chunks: Sequence[str | Path], *, alphas: Alphas, output: str | Path) -> None:
    """Join the chunks of a fit, given in order, into the file that one fit would have written.

    Parameters
    ----------
    chunks : sequence of paths
        Files of `fit_model` with a `chunk`.
    alphas : Alphas
        The grid of the search.
    output : path
        HDF5 to write.
    """
    with FitFile.join(chunks, output) as file:
        _write_edges(file, alphas)


def _places(block: slice, reference: range) -> np.ndarray:
    """Which of the reference voxels each voxel of a block is, -1 where it is none."""
    voxels = range(block.start, block.stop)
    return np.array([reference.index(v) if v in reference else -1 for v in voxels])


def _blocks(
    voxels: range,
    options: FitOptions,
    solver: str,
    n_rows: int,
    design: Design,
    n_reference: int,
) -> list[slice]:
    """Blocks of voxels, as configured or by memory, to which the reference voxels come."""
    size = options.voxels_per_block or block_size(
        len(voxels), options.memory_gb, solver, n_rows, design.n_columns, len(design.bands),
        options.n_folds, len(combinations(options.alphas.n, len(split(design).narrow))),
        n_reference, [band.n_columns for band in design.remade],
    )  # fmt: skip
    logging.info("%d voxels in blocks of %d, solver %s", len(voxels), size, solver)
    return chunks(voxels, size)


def _write_test(
    file: FitFile,
    voxels: slice,
    final: Ridge,
    design: Design,
    measured: dict[str, np.ndarray],
    counted: Mapping[str, np.ndarray],
) -> None:
    """Predict and score the test stories, whose responses are `measured`.

    Rows that are not `counted` are neutral in both, so that no later test counts them either.
    """
    predicted = {
        story: neutral(final.predict(design.rows(story)), counted.get(story)) for story in measured
    }
    r_test = np.stack([pearson(predicted[story], y) for story, y in measured.items()])
    joined = [np.concatenate(list(stories.values())) for stories in (predicted, measured)]
    shares, copied, copying = [], {}, _copied(design)
    for story, y in measured.items():
        parts = neutral(band_parts(final.weights, design, story), counted.get(story))
        shares.append(band_shares(parts, y))
        if copying:
            copied[story] = parts[copying].sum(axis=0)
    file.write_test(
        voxels,
        r=_mean_of_numbers(r_test),
        r_test=r_test,
        r_concat=pearson(*joined),
        share=_mean_of_numbers(np.stack(shares)),
        predictions=predicted,
        copied=copied,
    )


def _write_edges(file: FitFile, alphas: Alphas) -> None:
    scores = file.scores()
    file.write_attributes(at_edges(file.alpha(), scores.r_train, scores.r_cv, alphas))


def _copied(design: Design) -> list[int]:
    """Indices of the bands that copy what followed a match."""
    return [i for i, band in enumerate(design.bands) if band.copied]


def _mean_of_numbers(r: np.ndarray) -> np.ndarray:
    """Mean over stories in which the voxel varies; NaN where it never does."""
    n = (~np.isnan(r)).sum(axis=0)
    return np.where(n > 0, np.nansum(r, axis=0) / np.maximum(n, 1), np.nan)
