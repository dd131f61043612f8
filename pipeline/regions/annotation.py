"""Regions drawn on the cortical surface (FreeSurfer annotations), carried to voxels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.affines import apply_affine, voxel_sizes

from pipeline.core.errors import Problem, ProblemError
from pipeline.core.files import file_problem
from pipeline.maps.sampling import DEPTHS
from pipeline.voxels.volume import Mask

NO_REGION = ""
NO_CORTEX = {"", "unknown", "medial_wall", "medialwall", "medial wall", "???"}
HEMISPHERES = {"left": "lh", "right": "rh"}
N_FSAVERAGE = 163_842  # vertices of fsaverage, whose first 10,242 are those of fsaverage5

Sheet = tuple[np.ndarray, np.ndarray]  # white and pial vertices, each (n_vertices, 3), mm


def read_annotation(path: str | Path, side: str) -> np.ndarray:
    """Name of the region of every vertex, array of str, shape (n_vertices,).

    Parameters
    ----------
    path : path
        A FreeSurfer annotation.
    side : {"left", "right"}
        Whose it should be.

    Raises
    ------
    ProblemError
        The file is missing, is named as the other hemisphere's, or is no FreeSurfer annotation.
    """
    if problem := file_problem(path):
        raise ProblemError(problem)
    others = {f"{hemi}." for name, hemi in HEMISPHERES.items() if name != side}
    if Path(path).name.startswith(tuple(others)):
        what = f"by its name it is not of the {side} hemisphere"
        raise ProblemError(Problem(path, side, what, "swap `left` and `right`"))
    remedy = "give a FreeSurfer .annot file with a colour table"
    try:
        integers = np.fromfile(path, ">i4")
        vertices = integers[1::2]
        _check_colours(integers)
        values, table, names = nib.freesurfer.read_annot(str(path), orig_ids=True)
        regions = [name.decode() for name in names]
    except Exception as error:  # nibabel raises that class itself, and whatever bad bytes lead to
        raise ProblemError(Problem(path, "", f"not an annotation ({error})", remedy)) from error
    try:
        if not np.array_equal(vertices[: len(values)], np.arange(len(values))):
            raise ValueError("it lists vertices out of order")
        return _named(values, table, regions)
    except ValueError as error:
        raise ProblemError(Problem(path, "", str(error), remedy)) from error


def _check_colours(integers: np.ndarray) -> None:
    """Raise if the colour table, for which nibabel makes room first, is larger than the file."""
    after = 1 + 2 * int(integers[0])
    has_table, version, n_colours = integers[after : after + 3].tolist()
    if has_table and version < 0 and n_colours > len(integers):
        raise ValueError(f"its colour table claims {n_colours} colours")


def _named(values: np.ndarray, table: np.ndarray, regions: list[str]) -> np.ndarray:
    """Names of annotation values, which are the packed colours of the table's rows.

    nibabel itself takes a colour that is not in the table for the next one, and where the table
    leaves numbers out, its names no longer stand at their rows.
    """
    rows = np.arange(len(table)) if len(table) == len(regions) else _filled(table)
    if len(rows) != len(regions):
        raise ValueError("names and colours of its colour table do not fit")
    used, known = set(values.tolist()), dict[int, str]()
    for colour, name in zip(table[rows, 4].tolist(), regions, strict=True):
        if known.setdefault(colour, name) != name and colour in used:
            raise ValueError(f"{known[colour]} and {name} have one colour in its colour table")
    known[0] = NO_REGION
    if unknown := used - known.keys():
        raise ValueError(f"vertices have colours that are not in its colour table ({len(unknown)})")
    return np.array([known[value] for value in values.tolist()])


def _filled(table: np.ndarray) -> np.ndarray:
    """Rows of a colour table that are not left out."""
    return np.flatnonzero(table[:, :4].any(axis=1))


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
    ProblemError
        A surface is missing or does not say where it lies; or the mask is native without
        surfaces of its own.
    """
    if surfaces is not None:
        return {side: _read_sheet(surfaces, hemi) for side, hemi in HEMISPHERES.items()}
    if mask.space != "MNI":
        what = "annotations need the subject's own surfaces, as the mask is in native space"
        remedy = "name the folder of the subject's surfaces with `surfaces`"
        raise ProblemError(Problem(mask.source, "regions", what, remedy))
    from nilearn.datasets import load_fsaverage  # slow to import

    meshes = load_fsaverage("fsaverage5")
    white, pial = meshes["white_matter"].parts, meshes["pial"].parts
    return {side: (white[side].coordinates, pial[side].coordinates) for side in HEMISPHERES}


def _read_sheet(surfaces: Path, hemisphere: str) -> Sheet:
    """White and pial surface of a hemisphere, vertex by vertex."""
    path = surfaces / f"{hemisphere}.white"
    white, pial = _read_surface(path), _read_surface(surfaces / f"{hemisphere}.pial")
    if len(white) != len(pial):
        what = f"it has other vertices than the pial surface ({len(white)}, {len(pial)})"
        remedy = "give both surfaces of one run of recon-all and of one hemisphere"
        raise ProblemError(Problem(path, "", what, remedy))
    return white, pial


def _read_surface(path: Path) -> np.ndarray:
    """Vertices of a FreeSurfer surface in the scanner's coordinates, shape (n_vertices, 3), mm.

    The file holds coordinates about the centre of the subject's volume, and that centre (c_ras).
    """
    if problem := file_problem(path):
        raise ProblemError(problem)
    remedy = "give surfaces as recon-all writes them"
    try:
        vertices, _, about = nib.freesurfer.read_geometry(str(path), read_metadata=True)
    except (ValueError, OSError, KeyError, IndexError, MemoryError, OverflowError) as error:
        raise ProblemError(Problem(path, "", f"not a surface ({error})", remedy)) from error
    if "cras" not in about or not str(about["valid"]).startswith("1"):
        raise ProblemError(Problem(path, "", "it does not say where it lies", remedy))
    places = vertices + about["cras"]
    if not np.isfinite(places).all():
        raise ProblemError(Problem(path, "", "coordinates are not finite", remedy))
    return places


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
    ProblemError
        The annotations are not of these surfaces.
    """
    from scipy.spatial import KDTree  # slow to import

    points, names = [], []
    for side, hemi in HEMISPHERES.items():
        white, pial = sheets[side]
        regions = _fit(annotations[side], len(white), source, side)
        named = [NO_REGION if n.lower() in NO_CORTEX else f"{hemi}.{n}" for n in regions]
        points += [white + depth * (pial - white) for depth in DEPTHS]
        names += [np.array(named)] * len(DEPTHS)
    spacing = np.median(KDTree(points[0]).query(points[0], k=2)[0][:, 1])
    reach = (np.linalg.norm(voxel_sizes(mask.img.affine)) + spacing) / 2
    places = apply_affine(mask.img.affine, mask.voxels)
    distance, nearest = KDTree(np.concatenate(points)).query(places)
    return np.where(distance <= reach, np.concatenate(names)[nearest], NO_REGION)


def _fit(regions: np.ndarray, n_vertices: int, source: str, side: str) -> np.ndarray:
    """Annotation of a mesh of `n_vertices`; one of fsaverage fits fsaverage5, too."""
    if len(regions) == N_FSAVERAGE and n_vertices < N_FSAVERAGE:
        return regions[:n_vertices]
    if len(regions) != n_vertices:
        what = f"the annotation has {len(regions)} vertices, the surface {n_vertices}"
        remedy = "give annotations of these surfaces, or of fsaverage for masks in MNI space"
        raise ProblemError(Problem(source, side, what, remedy))
    return regions
