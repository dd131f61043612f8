"""All maps of a subject: files of the values, then figures on common colour scales."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.errors import Problem, ProblemError
from pipeline.maps.artist import Artist
from pipeline.maps.flatmap import flat_surface
from pipeline.maps.scale import Scale, correlation_scale, difference_scale
from pipeline.maps.voxelmap import VoxelMap, correlation_maps, difference_maps
from pipeline.voxels.volume import Mask

log = logging.getLogger(__name__)

LEVEL = 0.05


def write_maps(
    r: Mapping[str, np.ndarray],
    bands: Mapping[str, Sequence[str]],
    *,
    mask: Mask,
    folder: Path,
    subject: str,
    contrasts: Mapping[str, Sequence[str]],
    figures_for: Collection[str] | None = None,
    q: Mapping[tuple[str, str | None], np.ndarray] | None = None,
    level: float = LEVEL,
    pycortex: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Write the maps of every model and of its differences to other models.

    Files of the values and glass brains are written for every model; the other figures for the
    models of `figures_for`. All maps of test correlations share one colour scale, all differences
    another; the NIfTI headers hold it (`cal_min`, `cal_max`). Maps with a `q` are written once more
    with only the voxels below `level`.

    Parameters
    ----------
    r : mapping of model to array of shape (n_voxels,)
        Test correlations, in the mask's voxel order; NaN where a voxel has no variance.
    bands : mapping of model to sequence of str
        The model's bands, for the titles.
    mask : Mask
        Where the voxels are. A native mask gets no glass brain, and no surface but by pycortex.
    folder : Path
        Where the files go.
    subject : str
        The subject's label.
    contrasts : mapping of model to sequence of models
        Models that a model is shown minus.
    figures_for : collection of str, optional
        Models that get every figure (default: all).
    q : mapping of (model, reference or None) to array of shape (n_voxels,), optional
        Benjamini-Hochberg q of the correlation (None), or of the difference to a reference.
    level : float
        False discovery rate of the thresholded maps.
    pycortex : mapping, optional
        `mask.pycortex` of the configuration, for flatmaps.

    Returns
    -------
    list of dict
        One record a file (`VoxelMap.record`).

    Raises
    ------
    ProblemError
        The number of voxels is not the mask's, or `figures_for` names an unknown model.
    """
    for model, values in r.items():
        mask.check_count(len(values), f"{subject}, model {model}")
    _check_known(figures_for or (), r)
    differences = difference_maps(r, bands, subject, contrasts)
    kinds = [
        (correlation_maps(r, bands, subject), correlation_scale(r.values())),
        (differences, _gain_scale(differences, bands)),
    ]
    artist = Artist(mask, folder, flat_surface(mask, pycortex, subject))
    records: list[dict[str, Any]] = []
    for maps, scale in kinds:
        if maps:
            log.info("%s, one colour scale for all models: %s", subject, scale)
            passed = [
                m.threshold(q[m.model, m.minus], level)
                for m in maps
                if q is not None and (m.model, m.minus) in q
            ]
            chosen = set(r if figures_for is None else figures_for)
            records += artist.draw([*maps, *passed], scale, chosen)
    return records


def _check_known(models: Collection[str], r: Mapping[str, np.ndarray]) -> None:
    unknown = [model for model in models if model not in r]
    if unknown:
        remedy = f"choose from {', '.join(r)}"
        what = f"no such model: {', '.join(unknown)}"
        raise ProblemError(Problem("configuration", "maps", what, remedy))


def _gain_scale(maps: Sequence[VoxelMap], bands: Mapping[str, Sequence[str]]) -> Scale:
    """Scale by the models that extend another one: what they add is not dwarfed by others."""
    extended = [m for m in maps if m.minus and set(bands[m.minus]) <= set(bands[m.model])]
    return difference_scale([m.values for m in extended or maps])
