"""Fit one model of one subject, block of voxels by block of voxels, and write all that follows."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.atomic import atomic_h5
from pipeline.dataset import Dataset
from pipeline.design import Design
from pipeline.fit.base import Problem, Ridge
from pipeline.fit.candidates import alphas, band_scalings, story_folds
from pipeline.fit.nested import choose_solver, fit_block
from pipeline.progress import track
from pipeline.score import pearson

EDGE_SHARE = 0.05  # warn when more predicted voxels than this want an alpha at an edge


def fit_model(
    dataset: Dataset,
    subject: str,
    design: Design,
    train: Sequence[str],
    test: Sequence[str],
    options: dict[str, Any],
    seeds: dict[str, int],
    voxels_per_block: int,
    attributes: dict[str, Any],
    output: str | Path,
) -> None:
    """Fit banded ridge, predict the test stories and score everything.

    Writes HDF5, one column a voxel: `r_test` (test stories), `r` (their mean), `r_concat` (stories
    on end), `r_train` (out-of-fold, training stories), `r_cv` (their mean), `alpha`, `scaling`
    (bands), `predictions/STORY`. Test stories are read last and choose nothing.

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
        `fit` of the configuration.
    seeds : dict
        `folds` and `search`.
    voxels_per_block : int
        Voxels in memory at a time.
    attributes : dict
        Written as attributes of the file.
    output : path
        HDF5 to write.
    """
    n_voxels = dataset.n_voxels(subject, train[0])
    n_rows = {story: dataset.grid(story).n_rows for story in [*train, *test]}
    folds = story_folds(list(train), n_rows, options["n_folds"], seeds["folds"])
    scalings = band_scalings(len(design.bands), options["n_scalings"], seeds["search"])
    blocks = [
        slice(start, min(start + voxels_per_block, n_voxels))
        for start in range(0, n_voxels, voxels_per_block)
    ]
    with atomic_h5(output) as file:
        _create(file, n_voxels, design, train, test, n_rows)
        for block in track(blocks, f"{subject}: blocks of voxels"):
            problem = Problem(
                design,
                {story: dataset.read_responses(subject, story, block) for story in train},
                dict(zip(train, folds.tolist(), strict=True)),
                scalings,
                alphas(options["alphas"]),
            )
            solver = choose_solver(options["solver"], problem)
            fit = fit_block(problem, solver)
            _write_training(file, block, fit.final, fit.r_train)
            _write_test(file, block, fit.final, dataset, subject, design, test)
        edges = _edge_shares(file, options["alphas"])
        file.attrs.update(attributes | edges | {"solver": solver})


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
        "alpha": (n_voxels,),
        "r_test": (len(test), n_voxels),
        "r_train": (len(train), n_voxels),
        "scaling": (len(design.bands), n_voxels),
    } | {f"predictions/{story}": (n_rows[story], n_voxels) for story in test}
    for name, shape in shapes.items():
        file.create_dataset(name, shape, np.float32)
    file["train"] = np.array(train, dtype="S")
    file["test"] = np.array(test, dtype="S")
    file["bands"] = np.array([band.name for band in design.bands], dtype="S")


def _write_training(file: h5py.File, block: slice, final: Ridge, r_train: np.ndarray) -> None:
    file["alpha"][block] = final.alpha
    file["scaling"][:, block] = final.scaling
    file["r_train"][:, block] = r_train
    file["r_cv"][block] = _mean_of_numbers(r_train)


def _write_test(
    file: h5py.File,
    block: slice,
    final: Ridge,
    dataset: Dataset,
    subject: str,
    design: Design,
    test: Sequence[str],
) -> None:
    predicted = [final.predict(design.rows(story)) for story in test]
    measured = [dataset.read_responses(subject, story, block) for story in test]
    r_test = np.stack([pearson(p, m) for p, m in zip(predicted, measured, strict=True)])
    for story, p in zip(test, predicted, strict=True):
        file[f"predictions/{story}"][:, block] = p
    file["r_test"][:, block] = r_test
    file["r"][block] = _mean_of_numbers(r_test)
    file["r_concat"][block] = pearson(np.concatenate(predicted), np.concatenate(measured))


def _mean_of_numbers(r: np.ndarray) -> np.ndarray:
    """Mean over stories in which the voxel varies; NaN where it never does."""
    n = (~np.isnan(r)).sum(axis=0)
    return np.where(n > 0, np.nansum(r, axis=0) / np.maximum(n, 1), np.nan)


def _edge_shares(file: h5py.File, options: dict[str, Any]) -> dict[str, float]:
    """Shares of predicted voxels that take the smallest or largest alpha; warn when many.

    A voxel counts as predicted if its out-of-fold r is two standard errors (over stories) above 0:
    the others take large alphas whatever the range.
    """
    r_train = file["r_train"][:]
    error = r_train.std(axis=0, ddof=1) / np.sqrt(len(r_train))
    alpha = np.log10(file["alpha"][:][file["r_cv"][:] > 2 * error])
    shares = {}
    for edge in ("min", "max"):
        at_edge = np.isclose(alpha, options[edge], atol=1e-3)
        share = float(at_edge.mean()) if len(alpha) else 0.0
        shares[f"alpha_at_{edge}"] = share
        if share > EDGE_SHARE and options["n"] > 1:
            logging.warning(
                "%.0f %% of the predicted voxels take the edge alpha 10^%g: widen fit.alphas.%s",
                100 * share, options[edge], edge,
            )  # fmt: skip
    return shares
