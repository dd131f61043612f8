"""All maps of a subject: files of the values, then figures on common colour scales."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.errors import Problem, ProblemError
from pipeline.maps.artist import Artist, SurfaceArtist
from pipeline.maps.flatmap import flat_surface
from pipeline.maps.scale import Scale, correlation_scale, difference_scale
from pipeline.maps.voxelmap import VoxelMap, correlation_maps, difference_maps
from pipeline.voxels.vertices import Vertices
from pipeline.voxels.volume import Mask

log = logging.getLogger(__name__)

LEVEL = 0.05


def write_maps(
    r: Mapping[str, np.ndarray],
    bands: Mapping[str, Sequence[str]],
    *,
    places: Mask | Vertices,
    folder: Path,
    subject: str,
    contrasts: Mapping[str, Sequence[str]],
    figures_for: Collection[str] | None = None,
    q: Mapping[tuple[str, str | None], np.ndarray] | None = None,
    level: float = LEVEL,
    pycortex: Mapping[str, Any] | None = None,
    meshes: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Write the maps of every model and of its differences to other models.

    Files of the values have the form that the responses came in. They, and glass brains, are
    written for every model; the other figures for the models of `figures_for`. All maps of test
    correlations share one colour scale, all differences another; NIfTI headers hold it (`cal_min`,
    `cal_max`). Maps with a `q` are written once more with only the voxels below `level`.

    Parameters
    ----------
    r : mapping of model to array of shape (n_voxels,)
        Test correlations, in the order of the responses; NaN where a voxel has no variance.
    bands : mapping of model to sequence of str
        The model's bands, for the titles.
    places : Mask or Vertices
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
    meshes : mapping of "left", "right" to path, optional
        Surfaces on which responses that lie on the surface are shown.

    Returns
    -------
    list of dict
        One record a file (`VoxelMap.record`).

    Raises
    ------
    ProblemError
        The number of voxels is not that of `places`, or `figures_for` names an unknown model.
    """
    for model, values in r.items():
        places.check_count(len(values), f"{subject}, model {model}")
    _check_known(figures_for or (), r)
    differences = difference_maps(r, bands, subject, contrasts)
    kinds = [
        (correlation_maps(r, bands, subject), correlation_scale(r.values())),
        (differences, gain_scale(differences, bands)),
    ]
    if isinstance(places, Mask):
        artist = Artist(places, folder, flat_surface(places, pycortex, subject))
    else:
        artist = SurfaceArtist(places, folder, meshes)
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


def gain_scale(maps: Sequence[VoxelMap], bands: Mapping[str, Sequence[str]]) -> Scale:
    """Scale by the models that extend another one: what they add is not dwarfed by others."""
    extended = [m for m in maps if m.minus and set(bands[m.minus]) <= set(bands[m.model])]
    return difference_scale([m.values for m in extended or maps])
