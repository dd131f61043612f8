"""Draws the maps of a subject: what maps have in common is computed once."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pipeline.maps.backdrop import Backdrop
from pipeline.maps.figures import GlassBrain, Slices, cheap_collection
from pipeline.maps.flatmap import FlatmapFigure, FlatSurface
from pipeline.maps.gifti import write_gifti
from pipeline.maps.meshes import cortex_of
from pipeline.maps.scale import Scale
from pipeline.maps.surface import Cortex, SurfaceFigure
from pipeline.maps.values import write_values
from pipeline.maps.views import InteractiveView, SurfaceView
from pipeline.maps.voxelmap import VoxelMap
from pipeline.voxels.vertices import Vertices
from pipeline.voxels.volume import Mask

log = logging.getLogger(__name__)

OVERVIEW = "glass"  # drawn for every model; the other figures are for the models asked for
ENDINGS = {"view": "html", "surfview": "html"}  # the others are pictures
THRESHOLDED = ("glass", "surface", "flatmap")  # figures of thresholded maps


class MapFigure(Protocol):
    """A figure that can be painted with one map after the other."""

    def save(self, values: np.ndarray, path: Path, title: str, subtitle: str) -> None:
        """Write the figure of a map, array of shape (n_voxels,)."""


class Artist:
    """Writes maps.

    Parameters
    ----------
    mask : Mask
        Where the voxels are.
    folder : Path
        Where the files go.
    flat : FlatSurface or None
        The subject's own cortex, flattened.
    """

    def __init__(self, mask: Mask, folder: Path, flat: FlatSurface | None = None) -> None:
        self.mask, self.folder, self.flat = mask, folder, flat
        self.backdrop = Backdrop(mask)
        if mask.space != "MNI":
            log.info(
                "%s is in native space: no glass brain or fsaverage without a transform to MNI",
                mask.source,
            )

    @cached_property
    def cortex(self) -> Cortex:
        """fsaverage5, for masks in MNI space."""
        return Cortex.of_mask(self.mask)

    def draw(
        self, maps: Sequence[VoxelMap], scale: Scale, chosen: set[str]
    ) -> list[dict[str, Any]]:
        """Write all files of maps that share a scale; one record a file.

        Parameters
        ----------
        maps : sequence of VoxelMap
            The maps.
        scale : Scale
            Their colours.
        chosen : set of str
            Models that get every figure.
        """
        records = []
        with cheap_collection():
            figures = self._figures(scale, everything=any(m.model in chosen for m in maps))
            for m in maps:
                files = self._values(m, scale)
                for kind, figure in figures.items():
                    wanted = m.model in chosen or kind == OVERVIEW
                    if wanted and (m.q is None or kind in THRESHOLDED):
                        path = self.folder / f"{m.stem}_{kind}.{ENDINGS.get(kind, 'png')}"
                        figure.save(m.values, path, m.title, m.subtitle)
                        files.append((path, kind))
                records += [m.record(path, kind, scale.label) for path, kind in files]
        return records

    def _figures(self, scale: Scale, everything: bool) -> dict[str, MapFigure]:
        """Figures that the mask's space allows, by kind."""
        figures = {}
        for kind, figure in self._possible(scale, everything):
            figures[kind] = figure
            gc.freeze()  # a figure is of many objects, all of which stay
        return figures

    def _possible(self, scale: Scale, everything: bool) -> Iterator[tuple[str, MapFigure]]:
        mni = self.mask.space == "MNI"
        if mni:
            yield OVERVIEW, GlassBrain(self.backdrop, scale)
        if everything and mni:
            yield "surface", SurfaceFigure(self.cortex, scale)
            yield "surfview", SurfaceView(self.cortex, scale)
        if everything and self.flat is not None:
            yield "flatmap", FlatmapFigure(self.flat, scale)
        if everything:
            yield "slices", Slices(self.backdrop, scale)
            yield "view", InteractiveView(self.backdrop, scale)

    def _values(self, m: VoxelMap, scale: Scale) -> list[tuple[Path, str]]:
        """Write the values themselves, at voxels and, for whole maps, at vertices."""
        files = write_values(m.values, self.mask, self.folder, m.stem, m.title, scale)
        if self.mask.space == "MNI" and m.q is None:
            vertices = self.cortex.sample(m.values)
            paths = write_gifti(vertices, self.folder, m.stem, m.title, scale.label)
            files += [(path, "gifti") for path in paths]
        return files


class SurfaceArtist(Artist):
    """Writes maps of responses that lie on the surface themselves.

    Parameters
    ----------
    vertices : Vertices
        Where the values are.
    folder : Path
        Where the files go.
    meshes : mapping of "left", "right" to path, optional
        The data's own inflated surfaces (`pipeline.maps.meshes`).
    """

    def __init__(
        self, vertices: Vertices, folder: Path, meshes: Mapping[str, str | Path] | None = None
    ) -> None:
        self.vertices, self.folder = vertices, folder
        self.own_cortex = cortex_of(vertices, meshes)

    def _possible(self, scale: Scale, everything: bool) -> Iterator[tuple[str, MapFigure]]:
        if everything and self.own_cortex is not None:
            yield "surface", SurfaceFigure(self.own_cortex, scale)
            yield "surfview", SurfaceView(self.own_cortex, scale)

    def _values(self, m: VoxelMap, scale: Scale) -> list[tuple[Path, str]]:
        """Write the values as they came: a GIFTI pair, or CIFTI with the same brain models."""
        return write_values(m.values, self.vertices, self.folder, m.stem, m.title, scale)
