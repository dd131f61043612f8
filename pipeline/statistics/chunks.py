"""What shuffled chunks of stories would have said, beside folds of whole stories.

Many tools cut stories into chunks of TRs, shuffle these and call them folds. The rows beside those
that are predicted then train the model, and as responses and delayed features are smooth they say
much of them, whatever they know of language. This is no way to score a model: it is made to be seen
beside the honest score, by people who come from such tools.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.core.random import generator
from pipeline.core.series import pearson
from pipeline.dataset.dataset import Dataset
from pipeline.fit.cross_validation import choose_solver, make_solver
from pipeline.fit.design import Band, Design
from pipeline.fit.options import FitOptions
from pipeline.fit.regression import Regression

LENGTH = 20  # TRs of a chunk


def shuffled_folds(
    n_rows: Mapping[str, int], n_folds: int, seed: int, length: int = LENGTH
) -> dict[str, list[tuple[slice, int]]]:
    """Chunks of every story, each with a fold; folds have equally many chunks, by chance.

    Parameters
    ----------
    n_rows : mapping of str to int
        Rows of each training story.
    n_folds, seed : int
        Folds, and the seed of the shuffle.
    length : int
        TRs of a chunk; the last one of a story may be shorter.
    """
    chunks = {
        s: [slice(i, min(i + length, n)) for i in range(0, n, length)] for s, n in n_rows.items()
    }
    total = sum(map(len, chunks.values()))
    folds = iter(generator(seed, "chunks").permutation(np.arange(total) % n_folds).tolist())
    return {story: [(chunk, next(folds)) for chunk in own] for story, own in chunks.items()}


def r_of_shuffled_chunks(
    dataset: Dataset,
    subject: str,
    *,
    design: Design,
    train: Sequence[str],
    options: FitOptions,
    voxels: slice,
) -> np.ndarray:
    """Out-of-fold r of every training story when folds are shuffled chunks.

    All else is as in `pipeline.fit.run.fit_model`: alphas are chosen within the other folds, and r
    is that of a whole story's predictions, which come from several folds.

    Parameters
    ----------
    dataset : Dataset
        Where the responses are.
    subject : str
        The subject.
    design : Design
        The model's bands.
    train : sequence of str
        The subject's training stories.
    options : FitOptions
        Folds, alphas, seeds.
    voxels : slice
        Voxels wanted.

    Returns
    -------
    array of shape (n_train, n_voxels)
    """
    design = design.counting(dataset.counted(subject, train))
    measured = dataset.read_counted(subject, train, voxels)
    n_rows = {story: len(y) for story, y in measured.items()}
    chunks = shuffled_folds(n_rows, options.n_folds, options.fold_seed)
    names = {(s, i): f"{s}/{i}" for s, own in chunks.items() for i in range(len(own))}
    regression = Regression(
        Design(tuple(_cut(band, chunks, names) for band in design.bands)),
        {name: measured[s][chunks[s][i][0]] for (s, i), name in names.items()},
        {name: chunks[s][i][1] for (s, i), name in names.items()},
        options.alphas.values(),
        options.refinements,
    )
    wanted = "auto" if options.solver == "himalaya" else options.solver
    name = choose_solver(wanted, regression.n_rows, design.n_columns, options.n_folds)
    made = make_solver(name, regression, options.device)
    models = [made.fit(exclude=fold) for fold in range(options.n_folds)]
    r = []
    for story, own in chunks.items():
        predicted = np.empty_like(measured[story])
        for i, (rows, fold) in enumerate(own):
            predicted[rows] = models[fold].predict(regression.design.rows(names[story, i]))
        r.append(pearson(predicted, measured[story]))
    return np.stack(r)


def _cut(
    band: Band,
    chunks: Mapping[str, Sequence[tuple[slice, int]]],
    names: Mapping[tuple[str, int], str],
) -> Band:
    """A band, delayed within whole stories, as chunks of them."""
    values: dict[str, np.ndarray] = {}
    for story, own in chunks.items():
        rows = band.rows(story)
        values |= {names[story, i]: rows[chunk] for i, (chunk, _) in enumerate(own)}
    return Band(band.name, values, (0,), (1.0,))
