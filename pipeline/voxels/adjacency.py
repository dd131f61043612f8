"""Which voxels and vertices are neighbours."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipeline.voxels.vertices import Vertices
from pipeline.voxels.volume import Mask


def volume_edges(mask: Mask) -> np.ndarray:
    """Pairs of voxels of the mask that share a face, array of int, shape (n_edges, 2)."""
    return _faces_shared(mask.voxels, mask.img.shape[:3])


def surface_edges(vertices: Vertices, faces: Mapping[str, np.ndarray]) -> np.ndarray:
    """Pairs of values whose vertices share an edge of the mesh, or whose voxels share a face.

    Parameters
    ----------
    vertices : Vertices
        Where the values are; voxels below the cortex are neighbours within their structure.
    faces : mapping of "left", "right" to array of int, shape (n_faces, 3)
        Triangles of each hemisphere's mesh.

    Returns
    -------
    array of int, shape (n_edges, 2)
        Places among the values; vertices without a value connect nothing.
    """
    pairs = [np.empty((0, 2), dtype=int)]
    for side, hemisphere in vertices.hemispheres.items():
        place = np.full(hemisphere.n_vertices, -1)
        place[hemisphere.vertices] = hemisphere.places
        corners = place[faces[side]]
        edges = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
        edges = np.sort(edges[(edges >= 0).all(axis=1)], axis=1)
        pairs.append(np.unique(edges, axis=0))
    axis = vertices.axis
    if axis is not None and axis.volume_shape is not None:
        for structure in np.unique(axis.name[axis.volume_mask]):
            places = np.flatnonzero(axis.name == structure)
            pairs.append(places[_faces_shared(axis.voxel[places], axis.volume_shape)])
    return np.concatenate(pairs)


def _faces_shared(voxels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Pairs among voxels (n, 3) on a grid that are one step apart along one axis."""
    number = np.full(np.array(shape) + 1, -1)  # a border, so that steps stay on the grid
    number[tuple(voxels.T)] = np.arange(len(voxels))
    pairs = []
    for step in np.eye(3, dtype=int):
        other = number[tuple((voxels + step).T)]
        found = np.flatnonzero(other >= 0)
        pairs.append(np.stack([found, other[found]], axis=1))
    return np.concatenate(pairs)
