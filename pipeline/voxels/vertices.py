"""Responses on the cortical surface: which value lies at which vertex, or voxel below it.

Of a pair of GIFTI files every vertex of either hemisphere has a value, those of the left first. The
brain models of a CIFTI file leave out the medial wall, and may add voxels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.cifti2 import BrainModelAxis

from pipeline.core.errors import Problem, ProblemError

SIDES = {"left": "CIFTI_STRUCTURE_CORTEX_LEFT", "right": "CIFTI_STRUCTURE_CORTEX_RIGHT"}
_SPACE = re.compile(r"(?:^|_)space-([A-Za-z0-9]+)")
_DENSITY = re.compile(r"(?:^|_)den-([A-Za-z0-9]+)")


@dataclass(frozen=True, eq=False)
class Hemisphere:
    """One hemisphere's part of the values.

    Parameters
    ----------
    n_vertices : int
        Vertices of the mesh.
    vertices : array of int, shape (n,)
        Those that have a value.
    places : array of int, shape (n,)
        Where their values are among all.
    """

    n_vertices: int
    vertices: np.ndarray
    places: np.ndarray


@dataclass(frozen=True, eq=False)
class Vertices:
    """Where the values of a subject's responses are.

    Parameters
    ----------
    hemispheres : mapping of "left", "right" to Hemisphere
        The cortex, or the one hemisphere of it that there is.
    n_values : int
        Values, those below the cortex among them.
    space, density : str
        As the file's name says them (`fsaverage5`; `fsLR`, `91k`); may be empty.
    source : str
        The file, for error messages.
    axis : BrainModelAxis or None
        Of a CIFTI file.
    """

    hemispheres: Mapping[str, Hemisphere]
    n_values: int
    space: str = ""
    density: str = ""
    source: str = "responses"
    axis: BrainModelAxis | None = None

    @classmethod
    def of_pair(cls, n_left: int, n_right: int, source: str | Path) -> Vertices:
        """All vertices of both hemispheres, the left ones first."""
        left, right = np.arange(n_left), np.arange(n_right)
        hemispheres = {
            "left": Hemisphere(n_left, left, left),
            "right": Hemisphere(n_right, right, right + n_left),
        }
        return cls(hemispheres, n_left + n_right, *_named(source), str(source))

    @classmethod
    def of_axis(cls, axis: BrainModelAxis, source: str | Path) -> Vertices:
        """The brain models of a CIFTI file."""
        hemispheres = {}
        for side, structure in SIDES.items():
            places = np.flatnonzero(axis.name == structure)
            if len(places):
                n_vertices = axis.nvertices[structure]
                hemispheres[side] = Hemisphere(n_vertices, axis.vertex[places], places)
        return cls(hemispheres, len(axis), *_named(source), str(source), axis)

    def check_count(self, n: int, place: str = "") -> None:
        """Raise ProblemError unless `n` is the number of values."""
        if n != self.n_values:
            what = f"the run has {self.n_values} vertices or grayordinates, the data {n}"
            remedy = "give the run that the responses come from"
            raise ProblemError(Problem(self.source, place, what, remedy))

    def sample(self, values: np.ndarray) -> dict[str, np.ndarray]:
        """Values at all vertices of each hemisphere, NaN where there is none."""
        sampled = {}
        for side, hemisphere in self.hemispheres.items():
            sampled[side] = np.full(hemisphere.n_vertices, np.nan)
            sampled[side][hemisphere.vertices] = values[hemisphere.places]
        return sampled


def called(space: object) -> tuple[str, str]:
    """What one value of a subject's responses is called, and several of them.

    Parameters
    ----------
    space : Vertices, or anything else
        Where the values are; elsewhere than on a surface they are voxels.
    """
    if not isinstance(space, Vertices):
        return "voxel", "voxels"
    return ("vertex", "vertices") if space.axis is None else ("grayordinate", "grayordinates")


def _named(source: str | Path) -> tuple[str, str]:
    """Space and density in a file's name."""
    found = (pattern.search(Path(source).name) for pattern in (_SPACE, _DENSITY))
    space, density = (match[1] if match else "" for match in found)
    return space, density


def to_dscalar(values: np.ndarray, vertices: Vertices, names: Sequence[str]) -> nib.Cifti2Image:
    """Maps of values with the brain models that they came with.

    Parameters
    ----------
    values : array of shape (n_maps, n_values)
        NaN where there is none.
    vertices : Vertices
        Of a CIFTI file.
    names : sequence of str
        What each map shows.
    """
    assert vertices.axis is not None, "only CIFTI files have brain models"
    vertices.check_count(values.shape[1], "values")
    axes = nib.cifti2.ScalarAxis(list(names)), vertices.axis
    image = nib.Cifti2Image(values.astype(np.float32), axes)
    image.update_headers()
    image.nifti_header.set_intent("NIFTI_INTENT_CONNECTIVITY_DENSE_SCALARS")
    return image
