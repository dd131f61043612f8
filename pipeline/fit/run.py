"""Fit one model of one subject, block of voxels by block of voxels, and write all that follows."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.core.atomic import atomic_h5
from pipeline.core.correlation import pearson
from pipeline.core.progress import track
from pipeline.dataset.dataset import Dataset
from pipeline.fit.attribution import band_parts, band_shares
from pipeline.fit.band_grams import fold_grams, read_grams
from pipeline.fit.candidates import alphas, band_scalings, training_folds
from pipeline.fit.cross_validation import choose_solver, fit_block, make_solver
from pipeline.fit.design import Design
from pipeline.fit.elimination import combinations, split
from pipeline.fit.memory import block_size
from pipeline.fit.pooling import reference_voxels
from pipeline.fit.regression import Regression, Ridge

EDGE_SHARE = 0.05  # warn when more predicted voxels than this want an alpha at an edge


def fit_model(
    dataset: Dataset,
    subject: str,
    design: Design,
    train: Sequence[str],
    test: Sequence[str],
    options: dict[str, Any],
    seeds: dict[str, int],
    attributes: dict[str, Any],
    output: str | Path,
    grams: Sequence[str | Path] = (),
    share: tuple[int, int] = (1, 1),
    keep: Sequence[str] = (),
) -> None:
    """Fit banded ridge, predict the test stories and score everything.

    Writes HDF5, one column a voxel: `r_test` (test stories), `r` (their mean), `r_concat` (stories
    on end), `r_train` (out-of-fold, training stories), `r_cv` (their mean), `alpha` and `share`
    (bands), `predictions/STORY` and, where bands copy matches, `copied/STORY`, what these add
    to the predictions (about its mean). Test stories are read last and choose nothing.

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
    options : dict
        `fit` of the configuration, and `voxels_per_block` (None: chosen from memory).
    seeds : dict
        `folds` and `search`.
    attributes : dict
        Written as attributes of the file.
    output : path
        HDF5 to write.
    grams : sequence of paths
        Gram matrices of the band pairs (`pipeline.fit.band_grams`); empty, they are made here.
    share : (int, int)
        Fit the i-th of n equal shares of the voxels only (1-based); `gather` joins the files.
    keep : sequence of str
        Bands whose weights are written, `weights_BAND` (column, voxel).
    """
    n_rows = {story: dataset.grid(story).n_rows for story in [*train, *test]}
    folds = training_folds(train, n_rows, options["n_folds"], seeds["folds"])
    n_train = sum(n_rows[story] for story in train)
    auto = choose_solver(options["solver"], n_train, design.n_columns, options["n_folds"])
    name = "gram" if grams else auto
    xx = None
    if name == "gram":
        xx = fold_grams(design.bands, folds, read_grams(grams) if grams else None)
    n_voxels = dataset.n_voxels(subject, train[0])
    voxels = share_of(n_voxels, *share)
    reference = range(0)  # himalaya's voxels choose alone
    if name != "himalaya":
        reference = reference_voxels(n_voxels, options["reference_voxels"])
    with atomic_h5(output) as file:
        _create(file, len(voxels), design, train, test, n_rows)
        blocks = _blocks(voxels, options, name, n_train, design, len(reference))
        beside = {}
        if reference and blocks and blocks[0] != slice(0, n_voxels):
            spread = slice(0, n_voxels, reference.step)
            beside = {story: dataset.read_responses(subject, story, spread) for story in train}
        for block in track(blocks, f"{subject}: blocks of voxels"):
            own = {story: dataset.read_responses(subject, story, block) for story in train}
            responses, places = _with_reference(own, block, reference, beside)
            regression = Regression(
                design,
                responses,
                folds,
                alphas(options["alphas"]),
                options["refinements"],
                band_scalings(len(design.bands), options["n_scalings"], seeds["search"]),
                places,
            )
            solver = make_solver(name, regression, options["device"], xx)
            fit = fit_block(regression, solver).first(block.stop - block.start)
            columns = slice(block.start - voxels.start, block.stop - voxels.start)
            _write_training(file, columns, fit.final, fit.r_train)
            measured = [dataset.read_responses(subject, story, block) for story in test]
            _write_test(file, columns, fit.final, design, dict(zip(test, measured, strict=True)))
            _write_weights(file, columns, fit.final, design, keep)
        file.attrs.update(attributes | {"solver": name})
        if share[1] == 1:
            file.attrs.update(_edge_shares(file, options["alphas"]))


def share_of(n_voxels: int, i: int, n: int) -> range:
    """Voxels of the i-th (1-based) of n nearly equal shares."""
    return range(n_voxels * (i - 1) // n, n_voxels * i // n)


def gather(parts: Sequence[str | Path], options: dict[str, Any], output: str | Path) -> None:
    """Join the shares of a fit, given in order, into the file that one fit would have written.

    Parameters
    ----------
    parts : sequence of paths
        Files of `fit_model` with a `share`.
    options : dict
        `fit.alphas` of the configuration.
    output : path
        HDF5 to write.
    """
    with ExitStack() as stack, atomic_h5(output) as file:
        shares = [stack.enter_context(h5py.File(part)) for part in parts]
        first = shares[0]
        for name in ("train", "test", "bands"):
            file[name] = first[name][:]
        groups = [name for name in ("predictions", "copied") if name in first]
        names = [name for name in first if name not in (*file, *groups)]
        for name in [*names, *(f"{group}/{story}" for group in groups for story in first[group])]:
            n_voxels = sum(part[name].shape[-1] for part in shares)
            joined = file.create_dataset(name, (*first[name].shape[:-1], n_voxels), np.float32)
            start = 0
            for part in shares:
                stop = start + part[name].shape[-1]
                joined[..., start:stop] = part[name][:]
                start = stop
        file.attrs.update(dict(first.attrs) | _edge_shares(file, options))


def _with_reference(
    responses: dict[str, np.ndarray],
    block: slice,
    reference: range,
    beside: dict[str, np.ndarray],
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Responses of a block, then of the reference voxels outside it; where these voxels all are."""
    n, inside = block.stop - block.start, range(block.start, block.stop)
    outside = [i for i, v in enumerate(reference) if v not in inside]
    if outside:
        responses = {
            story: np.concatenate([own, beside[story][:, outside]], axis=1)
            for story, own in responses.items()
        }
    places = [*(v - block.start for v in reference if v in inside), *range(n, n + len(outside))]
    return responses, np.array(places, int)


def _blocks(
    voxels: range,
    options: dict[str, Any],
    solver: str,
    n_rows: int,
    design: Design,
    n_reference: int,
) -> list[slice]:
    """Blocks of voxels, as configured or by memory, to which the reference voxels come."""
    size = options["voxels_per_block"] or block_size(
        len(voxels), options["memory_gb"], solver, n_rows, design.n_columns, len(design.bands),
        options["n_folds"], len(combinations(options["alphas"]["n"], len(split(design).narrow))),
        n_reference,
    )  # fmt: skip
    logging.info("%d voxels in blocks of %d, solver %s", len(voxels), size, solver)
    starts = range(voxels.start, voxels.stop, max(size, 1))
    return [slice(start, min(start + size, voxels.stop)) for start in starts]


def _create(
    file: h5py.File,
    n_voxels: int,
    design: Design,
    train: Sequence[str],
    test: Sequence[str],
    n_rows: dict[str, int],
) -> None:
    shapes = {
        "r": (n_voxels,),
        "r_concat": (n_voxels,),
        "r_cv": (n_voxels,),
        "r_test": (len(test), n_voxels),
        "r_train": (len(train), n_voxels),
        "alpha": (len(design.bands), n_voxels),
        "share": (len(design.bands), n_voxels),
    }
    for group in ("predictions", "copied") if _copied(design) else ("predictions",):
        shapes |= {f"{group}/{story}": (n_rows[story], n_voxels) for story in test}
    for name, shape in shapes.items():
        file.create_dataset(name, shape, np.float32)
    file["train"] = np.array(train, dtype="S")
    file["test"] = np.array(test, dtype="S")
    file["bands"] = np.array([band.name for band in design.bands], dtype="S")


def _write_training(file: h5py.File, block: slice, final: Ridge, r_train: np.ndarray) -> None:
    file["alpha"][:, block] = final.alpha
    file["r_train"][:, block] = r_train
    file["r_cv"][block] = _mean_of_numbers(r_train)


def _write_test(
    file: h5py.File, block: slice, final: Ridge, design: Design, measured: dict[str, np.ndarray]
) -> None:
    """Predict and score the test stories, whose responses are `measured`."""
    predicted = {story: final.predict(design.rows(story)) for story in measured}
    for story, p in predicted.items():
        file[f"predictions/{story}"][:, block] = p
    r_test = np.stack([pearson(predicted[story], y) for story, y in measured.items()])
    file["r_test"][:, block] = r_test
    file["r"][block] = _mean_of_numbers(r_test)
    shares, copied = [], _copied(design)
    for story, y in measured.items():
        parts = band_parts(final.weights, design, story)
        shares.append(band_shares(parts, y))
        if copied:
            file[f"copied/{story}"][:, block] = parts[copied].sum(axis=0)
    file["share"][:, block] = _mean_of_numbers(np.stack(shares))
    joined = [np.concatenate(list(stories.values())) for stories in (predicted, measured)]
    file["r_concat"][block] = pearson(*joined)


def _copied(design: Design) -> list[int]:
    """Indices of the bands that copy what followed a match."""
    return [i for i, band in enumerate(design.bands) if band.copied]


def _write_weights(
    file: h5py.File, block: slice, final: Ridge, design: Design, keep: Sequence[str]
) -> None:
    """Write the weights of the delayed columns of the bands in `keep`."""
    for band, columns in zip(design.bands, design.slices, strict=True):
        if band.name in keep:
            shape = (band.n_columns, len(file["r"]))
            weights = file.require_dataset(f"weights_{band.name}", shape, np.float32)
            weights[:, block] = final.weights[columns]


def _mean_of_numbers(r: np.ndarray) -> np.ndarray:
    """Mean over stories in which the voxel varies; NaN where it never does."""
    n = (~np.isnan(r)).sum(axis=0)
    return np.where(n > 0, np.nansum(r, axis=0) / np.maximum(n, 1), np.nan)


def _edge_shares(file: h5py.File, options: dict[str, Any]) -> dict[str, float]:
    """Shares of predicted voxels with an alpha at an edge of the grid; warn when many.

    At the smallest: any band. At the largest: all bands, as single ones may well be left out. A
    voxel counts as predicted if its out-of-fold r is two standard errors (over stories) above 0:
    the others take large alphas whatever the range.
    """
    r_train, alpha = file["r_train"][:], np.log10(file["alpha"][:])
    error = r_train.std(axis=0, ddof=1) / np.sqrt(len(r_train))
    predicted = file["r_cv"][:] > 2 * error
    at_edge = {
        "min": (alpha < options["min"] + 1e-3).any(axis=0),
        "max": (alpha > options["max"] - 1e-3).all(axis=0),
    }
    shares = {}
    for edge, at in at_edge.items():
        share = float(at[predicted].mean()) if predicted.any() else 0.0
        shares[f"alpha_at_{edge}"] = share
        if share > EDGE_SHARE and options["n"] > 1:
            logging.warning(
                "%.0f %% of the predicted voxels take the edge alpha 10^%g: widen fit.alphas.%s",
                100 * share, options[edge], edge,
            )  # fmt: skip
    return shares
