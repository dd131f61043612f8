"""Surfaces in files of their own, as a configuration names them: GIFTI, or FreeSurfer's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

from pipeline.core.errors import Problem, ProblemError
from pipeline.core.files import file_problem
from pipeline.voxels.load import load_gifti
from pipeline.voxels.vertices import SIDES, Vertices
from pipeline.voxels.volume import UNREADABLE


@dataclass(frozen=True, eq=False)
class Mesh:
    """One hemisphere's surface.

    Parameters
    ----------
    coordinates : array of shape (n_vertices, 3)
        mm.
    faces : array of int, shape (n_faces, 3)
        Triangles.
    """

    coordinates: np.ndarray
    faces: np.ndarray


def read_mesh(path: str | Path) -> Mesh:
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
        return Mesh(np.asarray(coordinates, float), np.asarray(faces, int))
    except (*UNREADABLE, TypeError) as error:
        what = f"truncated or no surface ({error})"
        remedy = "give a .surf.gii, or a surface of FreeSurfer"
        raise ProblemError(Problem(path, "", what, remedy)) from error


def own_meshes(vertices: Vertices, meshes: Mapping[str, str | Path]) -> dict[str, Mesh]:
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
