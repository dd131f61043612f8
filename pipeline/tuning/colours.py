"""Meaning as colour: the first three axes of the weights are red, green and blue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np

from pipeline.core.atomic import atomic_path
from pipeline.maps.flatmap import FlatSurface
from pipeline.maps.surface import VIEWS, Cortex
from pipeline.tuning.mosaic import Mosaic
from pipeline.voxels.volume import Mask, to_volumes

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


def write_rgb(colours: np.ndarray, mask: Mask, path: Path) -> None:
    """Write colours, (3, n_voxels), as NIfTI with a volume each for red, green and blue.

    Voxels without a colour are NaN, and 0 outside the mask.
    """
    image = to_volumes(colours, mask, tr=1.0)
    image.header["descrip"] = "red, green, blue: axes 1, 2, 3 of the weights"
    with atomic_path(path) as temporary:
        nib.save(image, temporary)


def pictures(
    colours: np.ndarray, mask: Mask, mosaic: Mosaic, flat: FlatSurface | None
) -> Iterator[tuple[str, list[np.ndarray], float]]:
    """Pictures of coloured voxels that the mask's space allows.

    Parameters
    ----------
    colours : array of shape (3, n_voxels)
        NaN where there is none.
    mask : Mask
        Where the voxels are.
    mosaic : Mosaic
        The mask's slices.
    flat : FlatSurface or None
        The subject's own cortex, flattened.

    Yields
    ------
    kind : str
        "slices", "surface" (fsaverage, of masks in MNI space) or "flatmap".
    panels : list of arrays of shape (rows, columns, 3 or 4)
        RGB, or RGBA on a transparent ground.
    aspect : float
        Height of a pixel over its width.
    """
    yield "slices", [mosaic.paint(colours)], mosaic.aspect
    if mask.space == "MNI":
        cortex = Cortex.of_mask(mask)
        channels = [cortex.sample(channel) for channel in colours]
        panels = []
        for view, (hemi, _, _) in VIEWS.items():
            painted = [cortex.rasters[view].paint(channel[hemi]) for channel in channels]
            panels.append(_over(cortex.grey[view], np.stack(painted, axis=-1)))
        yield "surface", panels, 1.0
    if flat is not None:
        painted = [flat.paint(channel) for channel in colours]
        yield "flatmap", [_over(flat.grey, np.stack(painted, axis=-1))], 1.0


def _over(grey: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Colours, (rows, columns, 3), over grey levels, (rows, columns); RGBA, both NaN off cortex."""
    picture = np.where(np.isfinite(colours), colours, np.nan_to_num(grey)[..., None])
    return np.concatenate([np.clip(picture, 0, 1), np.isfinite(grey)[..., None]], axis=-1)
