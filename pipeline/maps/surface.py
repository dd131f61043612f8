"""Maps on inflated surfaces: fsaverage5, or those that the data themselves lie on.

The views are fixed, so which triangle a pixel shows is computed once; a map is then painted by two
sparse products (voxels to vertices, vertices to pixels), which is fast enough for every model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from pipeline.maps.canvas import Canvas
from pipeline.maps.sampling import DEPTHS, interpolation_matrix, weighted_mean
from pipeline.maps.scale import Scale
from pipeline.voxels.volume import Mask

if TYPE_CHECKING:
    from nilearn.surface import InMemoryMesh

MM_PER_PIXEL = 0.5
CORTEX_MM = 1.2  # thinner is the medial wall, which is no cortex
VERTEX_COVERAGE = 0.3  # the cortical sheet leaves coarse masks here and there
PIXEL_COVERAGE = 0.5
EDGE_ON = 1e-9  # twice the area, in pixels, of a triangle that covers none
ROUNDING = 1e-6  # of barycentric coordinates, so that triangles leave no gaps between them
# Viewed hemisphere and side; the world axis that points right on the picture, and to the viewer.
VIEWS = {
    "left lateral": ("left", (0, -1, 0), (-1, 0, 0)),
    "left medial": ("left", (0, 1, 0), (1, 0, 0)),
    "right medial": ("right", (0, -1, 0), (-1, 0, 0)),
    "right lateral": ("right", (0, 1, 0), (1, 0, 0)),
}


@dataclass(frozen=True)
class Raster:
    """A view as pixels.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the picture.
    matrix : csr_array, shape (rows * columns, n_vertices)
        Barycentric weights of the vertices that a pixel shows; an empty row is background.
    """

    shape: tuple[int, int]
    matrix: sparse.csr_array

    def paint(self, vertex_values: np.ndarray) -> np.ndarray:
        """Picture of shape (rows, columns) of values at the vertices; NaN on the background."""
        return weighted_mean(self.matrix, vertex_values, PIXEL_COVERAGE).reshape(self.shape)


def rasterise(
    coordinates: np.ndarray,
    faces: np.ndarray,
    right: np.ndarray,
    toward: np.ndarray,
    mm: float = MM_PER_PIXEL,
) -> Raster:
    """Orthographic picture of a mesh, z pointing up: the triangle nearest to the viewer wins.

    Parameters
    ----------
    coordinates : array of shape (n_vertices, 3)
        Vertices, mm.
    faces : array of int, shape (n_faces, 3)
        Triangles.
    right, toward : array of shape (3,)
        Unit vectors that point right on the picture, and to the viewer.
    mm : float
        Width of a pixel.
    """
    plane = np.stack([coordinates @ right, -coordinates[:, 2]], axis=1)
    plane = (plane - plane.min(axis=0)) / mm + 1
    n_columns, n_rows = np.ceil(plane.max(axis=0)).astype(int) + 2
    face, pixel, weights = _covered_pixels(plane[faces])
    depth = np.sum(weights * (coordinates @ toward)[faces[face]], axis=1)
    order = np.argsort(depth, kind="stable")  # the last to be written is the nearest
    winner = np.full(n_rows * n_columns, -1)
    winner[pixel[order, 1] * n_columns + pixel[order, 0]] = order
    shown = np.flatnonzero(winner >= 0)
    winner = winner[shown]
    entries = (
        weights[winner].ravel(),
        (np.repeat(shown, 3), faces[face[winner]].ravel()),
    )
    matrix = sparse.csr_array(entries, shape=(n_rows * n_columns, len(coordinates)))
    return Raster((int(n_rows), int(n_columns)), matrix)


def _covered_pixels(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels inside triangles.

    Parameters
    ----------
    corners : array of shape (n_faces, 3, 2)
        Corners of the triangles, pixels.

    Returns
    -------
    face : array of int, shape (n,)
    pixel : array of int, shape (n, 2)
        Column and row.
    weights : array of shape (n, 3)
        Barycentric coordinates of the pixel in the face.
    """
    a = corners[:, 0]
    to_b, to_c = corners[:, 1] - a, corners[:, 2] - a
    twice_area = _cross(to_b, to_c)
    low = np.floor(corners.min(axis=1)).astype(int)
    size = np.ceil(corners.max(axis=1)).astype(int) - low + 1
    area = np.where(np.abs(twice_area) < EDGE_ON, 0, size.prod(axis=1))
    face = np.repeat(np.arange(len(corners)), area)
    row, column = np.divmod(np.arange(len(face)) - (np.cumsum(area) - area)[face], size[face, 0])
    pixel = low[face] + np.stack([column, row], axis=1)

    from_a, divisor = pixel - a[face], twice_area[face]
    weight_b = _cross(from_a, to_c[face]) / divisor
    weight_c = _cross(to_b[face], from_a) / divisor
    weight_a = 1 - weight_b - weight_c
    inside = (weight_a >= -ROUNDING) & (weight_b >= -ROUNDING) & (weight_c >= -ROUNDING)
    weights = np.stack([w[inside] for w in (weight_a, weight_b, weight_c)], axis=1)
    return face[inside], pixel[inside], weights


def _cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Cross product of vectors in the plane."""
    return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]


class Cortex:
    """Inflated hemispheres in fixed views, and how values come to their vertices.

    Parameters
    ----------
    meshes : mapping of "left", "right" to InMemoryMesh
        Inflated surfaces.
    sample : callable
        `sample(values)` takes an array of shape (n_values,) and gives an array of shape
        (n_vertices,) a hemisphere, NaN where there is no value.
    sulci : mapping of "left", "right" to array of shape (n_vertices,), optional
        Sulcal depth, for the grey under the colours.
    """

    def __init__(
        self,
        meshes: Mapping[str, InMemoryMesh],
        sample: Callable[[np.ndarray], dict[str, np.ndarray]],
        sulci: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        flat = {side: np.zeros(len(mesh.coordinates)) for side, mesh in meshes.items()}
        self.inflated, self.sample, self.sulci = meshes, sample, sulci or flat
        self.rasters, self.grey = {}, {}
        for view, (hemi, right, toward) in VIEWS.items():
            mesh = meshes[hemi]
            raster = rasterise(mesh.coordinates, mesh.faces, np.array(right), np.array(toward))
            self.rasters[view] = raster
            self.grey[view] = underlay(raster, mesh, self.sulci[hemi], np.array(toward))

    @classmethod
    def of_mask(cls, mask: Mask) -> Cortex:
        """fsaverage5, voxels in MNI space sampled between the white and the pial surface."""
        from nilearn.datasets import load_fsaverage, load_fsaverage_data  # slow to import

        inflated, sulci = fsaverage("fsaverage5")
        white, pial = (load_fsaverage("fsaverage5")[k] for k in ("white_matter", "pial"))
        thickness = load_fsaverage_data("fsaverage5", data_type="thickness")
        matrices, cortical = {}, {}
        for hemi in ("left", "right"):
            inner, outer = (s.parts[hemi].coordinates for s in (white, pial))
            matrices[hemi] = sum(
                interpolation_matrix(mask, inner + depth * (outer - inner)) for depth in DEPTHS
            ) / len(DEPTHS)
            cortical[hemi] = thickness.data.parts[hemi] > CORTEX_MM

        def sample(values: np.ndarray) -> dict[str, np.ndarray]:
            """NaN on the medial wall, and where there is no voxel with a value."""
            return {
                hemi: np.where(
                    cortical[hemi], weighted_mean(matrix, values, VERTEX_COVERAGE), np.nan
                )
                for hemi, matrix in matrices.items()
            }

        return cls(inflated, sample, sulci)


def fsaverage(name: str) -> tuple[Mapping[str, InMemoryMesh], Mapping[str, np.ndarray]]:
    """Inflated surfaces and sulcal depth of nilearn's own fsaverage meshes (fsaverage5)."""
    from nilearn.datasets import load_fsaverage, load_fsaverage_data  # slow to import

    # Loaded once: a mesh in a file is read anew for each look at its coordinates.
    inflated = {side: m.loaded() for side, m in load_fsaverage(name)["inflated"].parts.items()}
    return inflated, load_fsaverage_data(name, data_type="sulcal").data.parts


def underlay(raster: Raster, mesh, sulci: np.ndarray, toward: np.ndarray) -> np.ndarray:
    """Grey levels of a view: gyri light, sulci dark, shaded by the angle to the viewer."""
    a, b, c = np.moveaxis(mesh.coordinates[mesh.faces], 1, 0)
    normals = np.zeros_like(mesh.coordinates)
    np.add.at(normals, mesh.faces, np.cross(b - a, c - a)[:, None, :])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    shade = 0.55 + 0.45 * np.abs(normals @ toward)
    depth = np.std(sulci) or 1.0  # 0 where it is not known
    tone = 0.52 - 0.14 * np.tanh(np.asarray(sulci) / depth * 1.5)
    return raster.paint(tone * shade)


class SurfaceFigure:
    """Both hemispheres from the side and from the midline.

    Parameters
    ----------
    cortex : Cortex
        Meshes and sampling.
    scale : Scale
        Colours.
    """

    def __init__(self, cortex: Cortex, scale: Scale) -> None:
        self.cortex, self.scale = cortex, scale
        self.canvas = Canvas(12.5, 2.95, scale)
        self._images = {}
        for column, view in enumerate(VIEWS):
            axes = self.canvas.add_axes(column / 4 + 0.005, 0.02, 0.24, 0.88)
            axes.set_title(view, color="0.8", size=9, pad=2)
            blank = np.zeros((*cortex.rasters[view].shape, 4))
            self._images[view] = axes.imshow(
                blank, interpolation="antialiased", interpolation_stage="rgba"
            )

    def save(self, values: np.ndarray, path: Path, title: str, subtitle: str) -> None:
        """Paint a map, array of shape (n_voxels,), and write it as PNG."""
        vertices = self.cortex.sample(values)
        for view, (hemi, _, _) in VIEWS.items():
            painted = self.cortex.rasters[view].paint(vertices[hemi])
            self._images[view].set_data(self.scale.over(self.cortex.grey[view], painted))
        self.canvas.save(path, title, subtitle)
