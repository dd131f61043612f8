"""Both hemispheres from either side: a small picture on which every vertex has a place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pipeline.maps.surface import VIEWS, Cortex, Raster, rasterise, underlay

WIDE = 100  # pixels of the widest view
ACROSS = 2  # views side by side


@dataclass(frozen=True, eq=False)
class Hemispheres:
    """Where vertices are on the picture.

    Parameters
    ----------
    cortex : Cortex
        The meshes.
    rasters : dict of view to Raster
        Coarse ones.
    grey : dict of view to array
        What they show under the colours.
    shape : tuple of int
        Rows and columns.
    at : array of int, shape (n_values, 2)
        Row and column of every vertex with a value; -1 if no view shows it, or it is no vertex.
    """

    cortex: Cortex
    rasters: dict[str, Raster]
    grey: dict[str, np.ndarray]
    shape: tuple[int, int]
    at: np.ndarray
    aspect: float = 1.0

    @classmethod
    def of(cls, cortex: Cortex, n_values: int) -> Hemispheres:
        """Views of a cortex two by two, each vertex where it is seen best."""
        rasters = {view: _coarse(cortex, view) for view in VIEWS}
        height, width = np.max([raster.shape for raster in rasters.values()], axis=0)
        at, best = np.full((n_values, 2), -1), np.zeros(n_values)
        number = {side: _numbers(cortex, side, n_values) for side in ("left", "right")}
        for i, (view, raster) in enumerate(rasters.items()):
            seen, pixel, weight = _best_pixels(raster)
            value = number[VIEWS[view][0]][seen]
            known = (value >= 0) & (weight > best[value])
            row, column = np.divmod(pixel[known], raster.shape[1])
            up, across = divmod(i, ACROSS)
            at[value[known]] = np.stack([row + up * height, column + across * width], axis=1)
            best[value[known]] = weight[known]
        shape = int(len(VIEWS) // ACROSS * height), int(ACROSS * width)
        grey = {view: _grey(cortex, view, raster) for view, raster in rasters.items()}
        return cls(cortex, rasters, grey, shape, at)

    @property
    def shown(self) -> np.ndarray:
        """Whether each value is on the picture, array of bool, (n_values,)."""
        return self.at[:, 0] >= 0

    def paint(self, colours: np.ndarray) -> np.ndarray:
        """Picture (rows, columns, 3) of colours 0..1, (3, n_values); NaN is grey, outside black."""
        picture = np.zeros((*self.shape, 3))
        height, width = self.shape[0] * ACROSS // len(VIEWS), self.shape[1] // ACROSS
        for i, panel in enumerate(panels(self.cortex, colours, self.rasters, self.grey)):
            up, across = divmod(i, ACROSS)
            rows, columns = panel.shape[:2]
            place = picture[up * height :, across * width :]
            place[:rows, :columns] = panel[..., :3] * panel[..., 3:]
        return picture


def panels(
    cortex: Cortex,
    colours: np.ndarray,
    rasters: dict[str, Raster] | None = None,
    grey: dict[str, np.ndarray] | None = None,
) -> list[np.ndarray]:
    """Coloured values on the surface, a picture a view.

    Parameters
    ----------
    cortex : Cortex
        Meshes and sampling.
    colours : array of shape (3, n_values)
        NaN where there is none.
    rasters, grey : dict of view to Raster, and to array of shape (rows, columns), optional
        Views of another resolution than the cortex's own.

    Returns
    -------
    list of arrays of shape (rows, columns, 4)
        RGBA on a transparent ground, in the order of `VIEWS`.
    """
    channels = [cortex.sample(channel) for channel in colours]
    rasters, grey, found = rasters or cortex.rasters, grey or cortex.grey, []
    for view, (side, _, _) in VIEWS.items():
        painted = [rasters[view].paint(channel[side]) for channel in channels]
        found.append(over(grey[view], np.stack(painted, axis=-1)))
    return found


def over(grey: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Colours, (rows, columns, 3), over grey levels, (rows, columns); RGBA, both NaN off cortex."""
    picture = np.where(np.isfinite(colours), colours, np.nan_to_num(grey)[..., None])
    return np.concatenate([np.clip(picture, 0, 1), np.isfinite(grey)[..., None]], axis=-1)


def _coarse(cortex: Cortex, view: str) -> Raster:
    """A view of at most `WIDE` columns, or as many rows."""
    side, right, toward = VIEWS[view]
    mesh = cortex.inflated[side]
    mm = np.ptp(mesh.coordinates[:, 1:], axis=0).max() / WIDE
    return rasterise(mesh.coordinates, mesh.faces, np.array(right), np.array(toward), mm)


def _grey(cortex: Cortex, view: str, raster: Raster) -> np.ndarray:
    """Grey levels of a view."""
    side, _, toward = VIEWS[view]
    return underlay(raster, cortex.inflated[side], cortex.sulci[side], np.array(toward))


def _numbers(cortex: Cortex, side: str, n_values: int) -> np.ndarray:
    """Which value every vertex of a hemisphere has, array of int; -1, none."""
    sampled = cortex.sample(np.arange(n_values, dtype=float))[side]
    return np.nan_to_num(sampled, nan=-1.0).astype(int)


def _best_pixels(raster: Raster) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices that a view shows, the pixel that shows each most, and its weight there."""
    entries = sparse.coo_array(raster.matrix)
    order = np.argsort(entries.data, kind="stable")  # the last to be written is the largest
    pixel, weight = np.zeros(raster.matrix.shape[1], int), np.zeros(raster.matrix.shape[1])
    pixel[entries.col[order]], weight[entries.col[order]] = entries.row[order], entries.data[order]
    seen = np.flatnonzero(weight > 0)
    return seen, pixel[seen], weight[seen]
