"""How well other listeners predict a subject: a scale for r where no story was heard twice.

What the responses of people to one story have in common was driven by the story. In a common space
the other subjects' mean response is correlated with the subject's, voxel by voxel (leave-one-out;
Hasson et al. 2004, doi:10.1126/science.1089506). Otherwise their leading components are aligned
with the subject's voxels by ridge regression, fitted on training stories alone.

It is a scale and no bound: the others' responses are noisy, too, so that a model of the stimulus
may exceed it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from pipeline.core.errors import Problem, ProblemError
from pipeline.core.progress import chunks
from pipeline.core.series import pearson, zscore
from pipeline.dataset.basis import fit_basis
from pipeline.dataset.dataset import Dataset
from pipeline.fit.cross_validation import make_solver
from pipeline.fit.design import Band, Design
from pipeline.fit.options import FitOptions, training_folds
from pipeline.fit.regression import Regression

Method = Literal["aligned", "voxels"]
BLOCK = 20_000  # voxels aligned at a time


def r_of_others(
    dataset: Dataset,
    subject: str,
    others: Sequence[str],
    *,
    method: Method,
    stories: Mapping[str, Sequence[str]],
    n_components: int,
    options: FitOptions,
) -> np.ndarray:
    """Correlation of a subject's responses to the test stories with what others predict.

    Parameters
    ----------
    dataset : Dataset
        Where the responses are.
    subject, others : str and sequence of str
        Whose responses are predicted, and by whose.
    method : {"aligned", "voxels"}
        By components of the others, aligned on the training stories, or voxel by voxel.
    stories : mapping
        Training and test stories that all of them heard (`pipeline.config.stories.shared_stories`).
    n_components : int
        Components of each of the others.
    options : FitOptions
        Folds and alphas of the alignment.

    Returns
    -------
    array of shape (n_test, n_voxels)

    Raises
    ------
    ProblemError
        If voxels without names are to be compared and the subjects do not have equally many.
    """
    if method == "voxels":
        return _by_voxel(dataset, subject, others, stories["test"])
    return _aligned(dataset, subject, others, stories, n_components, options)


def _by_voxel(
    dataset: Dataset, subject: str, others: Sequence[str], test: Sequence[str]
) -> np.ndarray:
    """With the mean of the others, in a common space, or of the same regions by their names."""
    columns = _same_voxels(dataset, subject, others, test[0])
    absent = np.all([own < 0 for own in columns.values()], axis=0)
    r = []
    for story in test:
        mean = np.where(absent, np.nan, 0.0)
        for other, own in columns.items():
            theirs = zscore(dataset.read_responses(other, story))[:, own]
            mean = mean + np.where(own < 0, 0.0, theirs)
        r.append(pearson(mean, dataset.read_responses(subject, story)))
    return np.stack(r)


def _same_voxels(
    dataset: Dataset, subject: str, others: Sequence[str], story: str
) -> dict[str, np.ndarray]:
    """Where each of the subject's voxels is among those of others; -1, nowhere."""
    names = dataset.region_names(subject, story)
    if names is not None:
        theirs = {other: dataset.region_names(other, story) or [] for other in others}
        places = {o: {name: i for i, name in enumerate(own)} for o, own in theirs.items()}
        return {o: np.array([own.get(name, -1) for name in names]) for o, own in places.items()}
    counts = {s: dataset.n_voxels(s, story) for s in [subject, *others]}
    if len(set(counts.values())) > 1:
        have = ", ".join(f"{s} {n}" for s, n in counts.items())
        what = f"the subjects' voxels are not those of one space: {have}"
        raise ProblemError(Problem("controls.intersubject", "voxels", what, "set aligned"))
    return dict.fromkeys(others, np.arange(counts[subject]))


def _aligned(
    dataset: Dataset,
    subject: str,
    others: Sequence[str],
    stories: Mapping[str, Sequence[str]],
    n_components: int,
    options: FitOptions,
) -> np.ndarray:
    """With what a ridge regression makes of the others' components."""
    train, test = stories["train"], stories["test"]
    band = _components(dataset, others, train, test, n_components)
    n_rows = {story: dataset.grid(story).n_rows for story in train}
    folds = training_folds(train, n_rows, options.n_folds, options.fold_seed)
    r = []
    design = Design((band,)).counting(dataset.counted(subject, train))
    for voxels in chunks(range(dataset.n_voxels(subject, train[0])), BLOCK):
        responses = dataset.read_counted(subject, train, voxels)
        regression = Regression(design, responses, folds, options.alphas.values())
        ridge = make_solver("gram", regression, options.device).fit(exclude=None)
        predicted = (ridge.predict(band.rows(story)) for story in test)
        measured = (dataset.read_responses(subject, story, voxels) for story in test)
        r.append(np.stack([pearson(p, y) for p, y in zip(predicted, measured, strict=True)]))
    return np.concatenate(r, axis=1)


def _components(
    dataset: Dataset,
    others: Sequence[str],
    train: Sequence[str],
    test: Sequence[str],
    n_components: int,
) -> Band:
    """The others' components side by side, of total variance one over the training stories."""
    bases = {other: fit_basis(dataset, other, train, n_components) for other in others}
    values = {
        story: np.concatenate(
            [b.scores(dataset.read_responses(other, story)) for other, b in bases.items()], axis=1
        )
        for story in [*train, *test]
    }
    total = sum(basis.variance.sum() for basis in bases.values())
    scaled = {s: (v / np.sqrt(total)).astype(np.float32) for s, v in values.items()}
    return Band("others", scaled, (0,), (1.0,))
