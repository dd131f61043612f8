"""Weights of a finished fit: solved once more at the alphas that it chose, without a search."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gim.files import file_digest
from pipeline.bands.identity import digests
from pipeline.bands.registry import BAND_PATHS, BandOptions, kind_of
from pipeline.core.progress import chunks, track
from pipeline.dataset.dataset import Dataset
from pipeline.fit.cross_validation import choose_solver
from pipeline.fit.design import Band, Design
from pipeline.fit.file import FitFile
from pipeline.fit.gram_engine import GramEngine
from pipeline.fit.grams import GramFile, Grams, make_grams
from pipeline.fit.kernel_engine import KernelEngine
from pipeline.fit.linalg import backend
from pipeline.fit.memory import refit_block_size
from pipeline.fit.options import FitOptions
from pipeline.fit.regression import Regression
from pipeline.fit.search import Engine
from pipeline.fit.solver import solve_at
from pipeline.fit.sums import FixedSums
from pipeline.fit.weights_file import KeptBand, WeightsFile
from pipeline.recall.features import features_file


def keep_weights(
    dataset: Dataset,
    subject: str,
    *,
    design: Design,
    kept: Sequence[KeptBand],
    train: Sequence[str],
    fit: str | Path,
    options: FitOptions,
    attributes: Mapping[str, Any],
    output: str | Path,
    grams: Sequence[str | Path] = (),
    summed: bool = False,
) -> None:
    """Solve a fitted model at its alphas, and write its weights.

    The alphas are those of the fit's last search, over all training stories; so these are the
    weights that its predictions were made with. No test story is read.

    Parameters
    ----------
    dataset : Dataset
        Where the responses are.
    subject : str
        The subject.
    design : Design
        The model's bands.
    kept : sequence of KeptBand
        What is kept of each beside its weights (`keep_band`).
    train : sequence of str
        The subject's training stories.
    fit : path
        The finished fit.
    options : FitOptions
        Memory and device.
    attributes : mapping
        Written as attributes of the file.
    output : path
        HDF5 to write.
    grams : sequence of paths
        Gram matrices of the band pairs; empty, they are made here.
    summed : bool
        Whether the delays' weights are added up.
    """
    fitted, one_fold = FitFile(fit), dict.fromkeys(train, 0)
    alpha, n_rows = fitted.alpha(), sum(dataset.grid(story).n_rows for story in train)
    solver = str(fitted.attributes()["solver"])
    if solver == "himalaya":
        solver = choose_solver("auto", n_rows, design.n_columns, n_folds=n_rows)
    design, gram = design.counting(dataset.counted(subject, train)), None
    if solver == "gram":
        stored = _over_folds(GramFile.read_all(grams)) if grams else None
        gram = stored or make_grams(design.bands, one_fold)
    n_voxels = alpha.shape[1]
    size = options.voxels_per_block or refit_block_size(
        n_voxels, options.memory_gb, solver, n_rows, design.n_columns, len(design.bands)
    )
    logging.info("%d voxels in blocks of %d, solver %s", n_voxels, size, solver)
    bands = list(zip(design.bands, kept, strict=True))
    with WeightsFile.create(
        output, bands=bands, n_voxels=n_voxels, summed=summed, attributes=attributes
    ) as file:
        for block in track(chunks(range(n_voxels), size), f"{subject}: weights"):
            responses = dataset.read_counted(subject, train, block)
            weights, intercept = solve_again(
                design, responses, alpha[:, block], solver, options.device, gram
            )
            file.write(block, design.bands, weights, intercept)


def solve_again(
    design: Design,
    responses: dict[str, np.ndarray],
    alpha: np.ndarray,
    solver: str,
    device: str = "cpu",
    grams: Grams | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and intercepts on all training stories at given alphas.

    Parameters
    ----------
    design : Design
        The model's bands.
    responses : dict of str to array of shape (n_rows, n_voxels)
        Of the training stories.
    alpha : array of shape (n_bands, n_voxels)
        Of a fit (`pipeline.fit.file.FitFile.alpha`).
    solver : {"gram", "kernel"}
        What solves the systems.
    device : str
        "cpu", or PyTorch's name of a GPU.
    grams : Grams, optional
        Sums of the pairs of bands over all stories as one fold, for `gram`; made if not given.

    Returns
    -------
    weights, intercept : arrays of shape (n_columns, n_voxels), (n_voxels,), float32
    """
    regression = Regression(design, responses, dict.fromkeys(responses, 0), np.empty(0))
    engine: Engine
    if solver == "gram":
        engine = GramEngine(FixedSums(regression, backend(device), grams))
    else:
        engine = KernelEngine(regression, backend(device))
    return solve_at(engine, alpha.astype(np.float64), ())


def keep_band(band: Band, files: Mapping[str, str | Path], options: BandOptions) -> KeptBand:
    """What is kept of a band beside its weights.

    Parameters
    ----------
    band : Band
        As loaded for the design.
    files : mapping of str to path
        `features`, which it was loaded from, and what else of the run it rests on
        (`pipeline.config.results.Results.made_from`); their checksums are kept.
    options : BandOptions
        Of the band, with the files of its kind's resources, whose checksums are kept, too.
    """
    assert band.preparation is not None, "a band of a run is made of its features"
    made_with = {name: file_digest(Path(path)) for name, path in files.items()}
    # Results say nothing of where files are; the run's configuration does.
    places = {*kind_of(options.kind).resources, *BAND_PATHS}
    own = {key: value for key, value in options.own.items() if key not in places}
    return KeptBand(
        name=band.name,
        options=replace(options, own=own),
        delays=tuple(band.delays),
        preparation=band.preparation,
        columns=features_file(files["features"]).columns(),
        digests=digests(options) | made_with,
    )


def _over_folds(grams: Grams) -> Grams:
    """Gram matrices of all training stories together, as one fold."""
    return {pair: gram.sum(axis=0, keepdims=True) for pair, gram in grams.items()}
