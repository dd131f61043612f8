"""Maps on the surface as GIFTI files, for Connectome Workbench, FreeSurfer and nilearn."""

from __future__ import annotations

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
    title: str,
    unit: str,
    space: str = "fsaverage5",
) -> list[Path]:
    """Write a map at the vertices of two hemispheres, one file each.

    Parameters
    ----------
    vertices : dict of "left", "right" to array of shape (n_vertices,)
        `pipeline.maps.surface.Cortex.sample`; NaN where there is no value.
    folder, stem : Path, str
        Where the files go, and the entities of their names (`pipeline.core.bids`), to which
        `hemi-L`, or R, and `space-SPACE` come.
    title, unit : str
        What the map shows, kept in the file.
    space : str
        Of the meshes; empty, nothing is said of it.

    Returns
    -------
    list of Path
        The files.
    """
    written = []
    for side, values in vertices.items():
        hemisphere, structure = STRUCTURES[side]
        array = GiftiDataArray(
            values.astype(np.float32),
            intent="NIFTI_INTENT_NONE",
            datatype="NIFTI_TYPE_FLOAT32",
            meta=GiftiMetaData(Name=title, Unit=unit),
        )
        image = GiftiImage(
            darrays=[array], meta=GiftiMetaData(AnatomicalStructurePrimary=structure)
        )
        named = with_entities(stem, hemi=hemisphere, space=space)
        path = folder / f"{named}_statmap.func.gii"
        with atomic_path(path) as temporary:
            nib.save(image, temporary)
        written.append(path)
    return written
