"""Meaning as colour: the first three axes of the weights are red, green and blue."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.maps.flatmap import FlatSurface
from pipeline.maps.surface import Cortex
from pipeline.tuning.hemispheres import Hemispheres, over, panels
from pipeline.tuning.mosaic import Mosaic
from pipeline.voxels.vertices import Vertices
from pipeline.voxels.volume import Mask

Picture = Mosaic | Hemispheres  # a small picture on which every voxel or vertex has a place
N_COLOURS = 3
FULL = 95  # percentile of the voxels' distances from 0 that has the full colour


def rgb(scores: np.ndarray, full: np.ndarray) -> np.ndarray:
    """Colours 0..1 of places on the axes: grey in the middle, the channel's ends at +-`full`.

    Parameters
    ----------
    scores : array of shape (n_axes, n)
        Places; fewer than three axes leave the others grey.
    full : array of shape (n_axes,)
        Distance from 0 of the full colour.

    Returns
    -------
    array of shape (3, n)
    """
    colours = np.full((N_COLOURS, scores.shape[1]), 0.5)
    n = min(N_COLOURS, len(scores))
    scaled = scores[:n] / np.where(full[:n] > 0, full[:n], 1)[:, None]
    colours[:n] = 0.5 + 0.5 * np.clip(scaled, -1, 1)
    return colours


def full_colours(scores: np.ndarray) -> np.ndarray:
    """Distances from 0 that have the full colour, (n_axes,), by the voxels' own."""
    return np.percentile(np.abs(scores), FULL, axis=1)


def pictures(
    colours: np.ndarray, places: Mask | Vertices, picture: Picture | None, flat: FlatSurface | None
) -> Iterator[tuple[str, list[np.ndarray], float]]:
    """Pictures of coloured places that their space allows.

    Parameters
    ----------
    colours : array of shape (3, n_voxels)
        NaN where there is none.
    places : Mask or Vertices
        Where the voxels are.
    picture : Mosaic, Hemispheres or None
        On which each has a place; None, there is no picture.
    flat : FlatSurface or None
        The subject's own cortex, flattened.

    Yields
    ------
    kind : str
        "slices", "surface" (fsaverage, of masks in MNI space, or the data's own) or "flatmap".
    panels : list of arrays of shape (rows, columns, 3 or 4)
        RGB, or RGBA on a transparent ground.
    aspect : float
        Height of a pixel over its width.
    """
    if picture is None:
        return
    if isinstance(picture, Hemispheres):
        yield "surface", panels(picture.cortex, colours), 1.0
        return
    yield "slices", [picture.paint(colours)], picture.aspect
    if isinstance(places, Mask) and places.space == "MNI":
        yield "surface", panels(Cortex.of_mask(places), colours), 1.0
    if flat is not None:
        painted = [flat.paint(channel) for channel in colours]
        yield "flatmap", [over(flat.grey, np.stack(painted, axis=-1))], 1.0
