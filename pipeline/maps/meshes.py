"""The meshes that responses on the surface are shown on: their own, or a template's on this disk.

Nothing is downloaded: nilearn ships fsaverage5, TemplateFlow's are used where they lie in its
folder (`$TEMPLATEFLOW_HOME`, `~/.cache/templateflow`).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import nibabel as nib
import numpy as np
from nilearn.surface import InMemoryMesh

from pipeline.core.errors import Problem, ProblemError
from pipeline.core.files import file_problem
from pipeline.maps.surface import Cortex, fsaverage
from pipeline.voxels.load import load_gifti
from pipeline.voxels.vertices import SIDES, Vertices
from pipeline.voxels.volume import UNREADABLE

log = logging.getLogger(__name__)

SHIPPED = "fsaverage5"
SHAPES = ("veryinflated", "inflated", "midthickness")  # the first that is there
HEMISPHERES = {"left": "L", "right": "R"}


def cortex_of(vertices: Vertices, meshes: Mapping[str, str | Path] | None = None) -> Cortex | None:
    """Surfaces under a map; None, and why, where there are none.

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
    if set(vertices.hemispheres) != set(SIDES):
        log.info("%s has one hemisphere: no pictures", vertices.source)
        return None
    if meshes:
        return Cortex(own_meshes(vertices, meshes), vertices.sample)
    if vertices.space == SHIPPED:
        inflated, sulci = fsaverage(SHIPPED)
        if _fit(inflated, vertices):
            return Cortex(inflated, vertices.sample, sulci)
    for files in _templates(vertices.space):
        found = {side: read_mesh(path) for side, path in files.items()}
        if _fit(found, vertices):
            return Cortex(found, vertices.sample)
    log.info(
        "no pictures: no meshes of the space %s with %s vertices are on this disk (set `surface`)",
        vertices.space or "of the data",
        " and ".join(str(h.n_vertices) for h in vertices.hemispheres.values()),
    )
    return None


def own_meshes(vertices: Vertices, meshes: Mapping[str, str | Path]) -> dict[str, InMemoryMesh]:
    """Read the surfaces that a configuration names, by side.

    Raises
    ------
    ProblemError
        If one cannot be read, or has other vertices than the data.
    """
    read, problems = {}, []
    for side in SIDES:
        try:
            read[side] = read_mesh(meshes[side])
        except ProblemError as error:
            problems += error.problems
            continue
        n = len(read[side].coordinates)
        expected = vertices.hemispheres[side].n_vertices if side in vertices.hemispheres else n
        if n != expected:
            what = f"the mesh has {n} vertices, the {side} hemisphere of the data {expected}"
            remedy = "give the meshes of the space that the data are in"
            problems.append(Problem(meshes[side], f"surface.{side}", what, remedy))
    if problems:
        raise ProblemError(problems)
    return read


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


def read_mesh(path: str | Path) -> InMemoryMesh:
    """A surface, GIFTI (`.surf.gii`) or FreeSurfer's.

    Raises
    ------
    ProblemError
        If it cannot be read.
    """
    if problem := file_problem(path):
        raise ProblemError(problem)
    try:
        if str(path).lower().endswith(".gii"):
            coordinates, faces = load_gifti(path).agg_data(("pointset", "triangle"))
        else:
            coordinates, faces = nib.freesurfer.read_geometry(str(path))
        return InMemoryMesh(np.asarray(coordinates, float), np.asarray(faces, int))
    except (*UNREADABLE, TypeError) as error:
        what = f"truncated or no surface ({error})"
        remedy = "give a .surf.gii, or a surface of FreeSurfer"
        raise ProblemError(Problem(path, "", what, remedy)) from error
