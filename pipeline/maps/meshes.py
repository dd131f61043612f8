"""The meshes that responses on the surface are shown on: their own, or a template's on this disk.

Nothing is downloaded: nilearn ships fsaverage5, TemplateFlow's are used where they lie in its
folder (`$TEMPLATEFLOW_HOME`, `~/.cache/templateflow`).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.maps.surface import Cortex, fsaverage
from pipeline.voxels.mesh import Mesh, own_meshes, read_mesh
from pipeline.voxels.vertices import SIDES, Vertices

if TYPE_CHECKING:
    from nilearn.surface import InMemoryMesh

log = logging.getLogger(__name__)

SHIPPED = "fsaverage5"
SHAPES = ("veryinflated", "inflated", "midthickness")  # the first that is there


def cortex_of(vertices: Vertices, meshes: Mapping[str, str | Path] | None = None) -> Cortex | None:
    """Surfaces under a map, and how to paint them; None, and why, where there are none.

    Takes and raises what `meshes_of` does. Pictures are of both hemispheres.
    """
    if set(vertices.hemispheres) != set(SIDES):
        log.info("%s has not both hemispheres: no pictures", vertices.source)
        return None
    found = meshes_of(vertices, meshes)
    return found and Cortex(found[0], vertices.sample, found[1])


def meshes_of(
    vertices: Vertices, meshes: Mapping[str, str | Path] | None = None
) -> tuple[Mapping[str, InMemoryMesh], Mapping[str, np.ndarray] | None] | None:
    """Surfaces that vertices are on, and sulcal depth where it is known; None, and why, if none.

    Parameters
    ----------
    vertices : Vertices
        Where the values are.
    meshes : mapping of "left", "right" to path, optional
        Surfaces to show them on, GIFTI or FreeSurfer; default, those of the data's space.

    Raises
    ------
    ProblemError
        If a given mesh cannot be read, or has other vertices than the data.
    """
    if meshes:
        return _in_memory(own_meshes(vertices, meshes)), None
    if vertices.space == SHIPPED:
        inflated, sulci = fsaverage(SHIPPED)
        if _fit(inflated, vertices):
            return inflated, sulci
    for files in _templates(vertices.space):
        found = _in_memory({side: read_mesh(path) for side, path in files.items()})
        if _fit(found, vertices):
            return found, None
    log.info(
        "no meshes of the space %s with %s vertices are on this disk (set `surface`)",
        vertices.space or "of the data",
        " and ".join(str(h.n_vertices) for h in vertices.hemispheres.values()),
    )
    return None


def _in_memory(meshes: Mapping[str, Mesh]) -> dict[str, InMemoryMesh]:
    """Meshes as nilearn has them."""
    from nilearn.surface import InMemoryMesh  # slow to import

    return {side: InMemoryMesh(mesh.coordinates, mesh.faces) for side, mesh in meshes.items()}


def _fit(meshes: Mapping[str, InMemoryMesh], vertices: Vertices) -> bool:
    """Whether meshes have as many vertices as the data."""
    return all(
        len(meshes[side].coordinates) == hemisphere.n_vertices
        for side, hemisphere in vertices.hemispheres.items()
    )


def _templates(space: str) -> Iterator[dict[str, Path]]:
    """Pairs of meshes of a space in TemplateFlow's folder, the most inflated first."""
    home = Path(os.environ.get("TEMPLATEFLOW_HOME") or Path.home() / ".cache" / "templateflow")
    folder = home / f"tpl-{space}"
    for shape in SHAPES if space else ():
        for left in sorted(folder.glob(f"tpl-{space}_*hemi-L_*{shape}.surf.gii")):
            right = left.with_name(left.name.replace("hemi-L", "hemi-R"))
            if f"_{shape}." in left.name and right.is_file():
                yield {"left": left, "right": right}
