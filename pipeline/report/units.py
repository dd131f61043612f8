"""Which voxels and regions the match explorer shows: chosen on training stories only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.config.models import nested_pairs
from pipeline.fit.file import Scores
from pipeline.regions.annotation import NO_REGION
from pipeline.report.numbers import correlation, signed

BEST_GAIN, BEST_BASELINE = 4, 3  # voxels of each model, and of the baseline
MOST_REGIONS = 24  # of a parcellation
Note = Callable[[float], str]  # how a score is written


@dataclass(frozen=True)
class Unit:
    """A voxel, or the mean of several.

    Parameters
    ----------
    label : str
        What the reader chooses.
    group : str
        Why it is there.
    voxels : array of int, shape (n_voxels,)
        Indices in the voxel vector.
    model : str or None
        The model for whose gain it was chosen.
    """

    label: str
    group: str
    voxels: np.ndarray
    model: str | None = None


def choose_units(
    scores: Mapping[str, Scores],
    *,
    over: Mapping[str, str],
    baseline: str,
    regions: Mapping[str, np.ndarray],
    names: Sequence[str] | None = None,
    called: tuple[str, str] = ("voxel", "voxels"),
) -> list[Unit]:
    """Voxels that gain most from matches or that the baseline predicts best, and all regions.

    Parameters
    ----------
    scores : mapping of model to Scores
        Scores of a subject.
    over : mapping of model to model
        A model with matches and the one that it is held against; the voxels with the largest gain
        in out-of-fold r over the training stories are taken.
    baseline : str
        The baseline model.
    regions : mapping of name to array of int
        Indices of each region's voxels.
    names : sequence of str, optional
        Names of the voxels, where each is a region.
    called : pair of str
        What one of them is called without a name, and several (`pipeline.voxels.vertices.called`).

    Returns
    -------
    list of Unit
        No voxel twice.
    """
    units: list[Unit] = []
    taken: set[int] = set()

    def add(group: str, score: np.ndarray, n: int, note: Note, model: str | None = None) -> None:
        order = np.argsort(-np.nan_to_num(score, nan=-np.inf), kind="stable")
        for voxel in [int(v) for v in order if int(v) not in taken and np.isfinite(score[v])][:n]:
            taken.add(voxel)
            name = names[voxel] if names is not None else f"{called[0]} {voxel}"
            label = f"{name} (out-of-fold r {note(score[voxel])})"
            units.append(Unit(label, group, np.array([voxel]), model))

    for model, reference in over.items():
        gain = scores[model].r_cv - scores[reference].r_cv
        group = f"Gain most from {model} over {reference}"
        add(group, gain, BEST_GAIN, lambda r: f"changes by {signed(r)}", model)
    add(f"Best with {baseline}", scores[baseline].r_cv, BEST_BASELINE, correlation)
    for name, voxels in regions.items():
        several = f" (mean of {len(voxels)} {called[1]})" if len(voxels) > 1 else ""
        units.append(Unit(f"{name}{several}", "Regions", voxels))
    return units


def held_against(
    models: Mapping[str, list[str]], explored: Mapping[str, str], baseline: str
) -> dict[str, str]:
    """The model that each explored one is held against: that without its matches.

    Parameters
    ----------
    models : mapping of model to list of bands
        All models.
    explored : mapping of model to band
        Models with matches, and the band that copies them.
    baseline : str
        What a model is held against if none has all its other bands.
    """
    without = {(model, band): other for model, other, band in nested_pairs(models)}
    return {model: without.get((model, band), baseline) for model, band in explored.items()}


def region_voxels(parcellations: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Indices of the voxels of the largest regions.

    Parameters
    ----------
    parcellations : mapping of name to array of str, shape (n_voxels,)
        Region of every voxel, empty where there is none.
    """
    found: dict[str, np.ndarray] = {}
    for labels in parcellations.values():
        names, counts = np.unique(labels[labels != NO_REGION], return_counts=True)
        largest = names[np.sort(np.argsort(-counts, kind="stable")[:MOST_REGIONS])]
        found |= {f"region {name}": np.flatnonzero(labels == name) for name in largest}
    return found
