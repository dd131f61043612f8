"""Maps on the surface as GIFTI files, for Connectome Workbench, FreeSurfer and nilearn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.gifti import GiftiDataArray, GiftiImage, GiftiMetaData

from pipeline.core.atomic import atomic_path
from pipeline.core.bids import with_entities

STRUCTURES = {"left": ("L", "CortexLeft"), "right": ("R", "CortexRight")}


def write_gifti(
    vertices: dict[str, np.ndarray],
    folder: Path,
    stem: str,
    title: str | Sequence[str],
    unit: str,
    space: str = "fsaverage5",
    suffix: str = "statmap",
) -> list[Path]:
    """Write a map, or several, at the vertices of two hemispheres, one file each.

    Parameters
    ----------
    vertices : dict of "left", "right" to array of shape (n_vertices,) or (n_maps, n_vertices)
        `pipeline.maps.surface.Cortex.sample`; NaN where there is no value.
    folder, stem : Path, str
        Where the files go, and the entities of their names (`pipeline.core.bids`), to which
        `hemi-L`, or R, and `space-SPACE` come.
    title : str or sequence of str
        What each map shows, kept in the file.
    unit : str
        Theirs.
    space : str
        Of the meshes; empty, nothing is said of it.
    suffix : str
        End of the names.

    Returns
    -------
    list of Path
        The files.
    """
    written = []
    for side, values in vertices.items():
        hemisphere, structure = STRUCTURES[side]
        names = [title] if isinstance(title, str) else title
        arrays = [
            GiftiDataArray(
                own.astype(np.float32),
                intent="NIFTI_INTENT_NONE",
                datatype="NIFTI_TYPE_FLOAT32",
                meta=GiftiMetaData(Name=name, Unit=unit),
            )
            for name, own in zip(names, np.atleast_2d(values), strict=True)
        ]
        about = GiftiMetaData(AnatomicalStructurePrimary=structure)
        image = GiftiImage(darrays=arrays, meta=about)
        named = with_entities(stem, hemi=hemisphere, space=space)
        path = folder / f"{named}_{suffix}.func.gii"
        with atomic_path(path) as temporary:
            nib.save(image, temporary)
        written.append(path)
    return written
