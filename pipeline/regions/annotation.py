"""Regions drawn on the cortical surface (FreeSurfer annotations), carried to voxels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.affines import apply_affine, voxel_sizes
from nilearn.datasets import load_fsaverage
from scipy.spatial import KDTree

from pipeline.errors import InputError, Problem
from pipeline.maps.surface import DEPTHS
from pipeline.volume import Mask

NO_REGION = ""
NO_CORTEX = {"", "unknown", "medial_wall", "medialwall", "medial wall", "???"}
HEMISPHERES = {"left": "lh", "right": "rh"}
N_FSAVERAGE = 163_842  # vertices of fsaverage, whose first 10,242 are those of fsaverage5

Sheet = tuple[np.ndarray, np.ndarray]  # white and pial vertices, each (n_vertices, 3), mm


def read_annotation(path: str | Path) -> np.ndarray:
    """Name of the region of every vertex, array of str, shape (n_vertices,).

    Raises
    ------
    InputError
        The file is missing or is no FreeSurfer annotation.
    """
    if not Path(path).is_file():
        raise InputError(Problem(path, "", "there is no such file", "check the path"))
    try:
        indices, _, names = nib.freesurfer.read_annot(str(path))
        return np.array([*(name.decode() for name in names), NO_REGION])[indices]
    except Exception as error:  # nibabel raises that class itself, and whatever bad bytes lead to
        remedy = "give a FreeSurfer .annot file with a colour table"
        raise InputError(Problem(path, "", f"not an annotation ({error})", remedy)) from error


def read_sheets(surfaces: Path | None, mask: Mask) -> dict[str, Sheet]:
    """White and pial surface of both hemispheres, in world coordinates.

    Parameters
    ----------
    surfaces : Path or None
        A FreeSurfer `surf` folder (`lh.white`, `lh.pial`, ...); None, fsaverage5, to which only
        masks in MNI space belong.
    mask : Mask
        Where the voxels are.

    Raises
    ------
    InputError
        A surface is missing or does not say where it lies; or the mask is native without
        surfaces of its own.
    """
    if surfaces is not None:
        return {
            side: (
                _read_surface(surfaces / f"{hemi}.white"),
                _read_surface(surfaces / f"{hemi}.pial"),
            )
            for side, hemi in HEMISPHERES.items()
        }
    if mask.space != "MNI":
        what = "annotations need the subject's own surfaces, as the mask is in native space"
        remedy = "name the folder of the subject's surfaces with `surfaces`"
        raise InputError(Problem(mask.source, "regions", what, remedy))
    meshes = load_fsaverage("fsaverage5")
    white, pial = meshes["white_matter"].parts, meshes["pial"].parts
    return {side: (white[side].coordinates, pial[side].coordinates) for side in HEMISPHERES}


def _read_surface(path: Path) -> np.ndarray:
    """Vertices of a FreeSurfer surface in the scanner's coordinates, shape (n_vertices, 3), mm.

    The file holds coordinates about the centre of the subject's volume, and that centre (c_ras).
    """
    if not path.is_file():
        raise InputError(Problem(path, "", "there is no such file", "check `surfaces`"))
    try:
        vertices, _, about = nib.freesurfer.read_geometry(str(path), read_metadata=True)
        return vertices + about["cras"]
    except (ValueError, OSError, KeyError, IndexError) as error:
        remedy = "give surfaces as recon-all writes them"
        what = f"not a surface that says where it lies ({error})"
        raise InputError(Problem(path, "", what, remedy)) from error


def label_voxels(
    annotations: Mapping[str, np.ndarray], sheets: Mapping[str, Sheet], mask: Mask, source: str
) -> np.ndarray:
    """Carry regions from vertices to voxels.

    A voxel belongs to the region of the nearest point of the cortical sheet, if that is no further
    than half the voxel's diagonal and half an edge of the mesh.

    Parameters
    ----------
    annotations : mapping of "left", "right" to array of str, shape (n_vertices,)
        Region of each vertex.
    sheets : mapping of "left", "right" to pair of arrays of shape (n_vertices, 3)
        White and pial vertices, mm.
    mask : Mask
        Where the voxels are.
    source : str
        The files, for error messages.

    Returns
    -------
    array of str, shape (n_voxels,)
        `lh.NAME` or `rh.NAME`; empty off the cortex and on the medial wall.

    Raises
    ------
    InputError
        The annotations are not of these surfaces.
    """
    points, names = [], []
    for side, hemi in HEMISPHERES.items():
        white, pial = sheets[side]
        regions = _fit(annotations[side], len(white), source)
        named = [NO_REGION if n.lower() in NO_CORTEX else f"{hemi}.{n}" for n in regions]
        points += [white + depth * (pial - white) for depth in DEPTHS]
        names += [np.array(named)] * len(DEPTHS)
    spacing = np.median(KDTree(points[0]).query(points[0], k=2)[0][:, 1])
    reach = (np.linalg.norm(voxel_sizes(mask.img.affine)) + spacing) / 2
    places = apply_affine(mask.img.affine, mask.voxels)
    distance, nearest = KDTree(np.concatenate(points)).query(places)
    return np.where(distance <= reach, np.concatenate(names)[nearest], NO_REGION)


def _fit(regions: np.ndarray, n_vertices: int, source: str) -> np.ndarray:
    """Annotation of a mesh of `n_vertices`; one of fsaverage fits fsaverage5, too."""
    if len(regions) == N_FSAVERAGE and n_vertices < N_FSAVERAGE:
        return regions[:n_vertices]
    if len(regions) != n_vertices:
        what = f"the annotation has {len(regions)} vertices, the surface {n_vertices}"
        remedy = "give annotations of these surfaces, or of fsaverage for masks in MNI space"
        raise InputError(Problem(source, "", what, remedy))
    return regions
