"""Maps of what each band explains."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import nibabel as nib
import numpy as np

from pipeline.atomic import atomic_path
from pipeline.maps.scale import difference_scale
from pipeline.volume import Mask, to_volume


def write_shares(
    shares: Mapping[str, Mapping[str, np.ndarray]], mask: Mask, folder: Path, subject: str
) -> list[Path]:
    """Write each band's share of the explained variance as NIfTI, negative shares kept.

    Parameters
    ----------
    shares : mapping of model to mapping of band to array of shape (n_voxels,)
        `pipeline.attribution.read_shares`.
    mask : Mask
        Where the voxels are.
    folder : Path
        Where the files go.
    subject : str
        The subject's label.

    Returns
    -------
    list of Path
        The files; one scale, in their headers, for all of them.
    """
    top = difference_scale([v for bands in shares.values() for v in bands.values()], "zero").vmax
    written = []
    for model, bands in shares.items():
        for band, values in bands.items():
            path = folder / f"sub-{subject}_model-{model}_band-{band}_stat-share_statmap.nii.gz"
            img = to_volume(values, mask)
            img.header["cal_min"], img.header["cal_max"] = -top, top
            img.header["descrip"] = f"share of {band} in R2"
            with atomic_path(path) as temporary:
                nib.save(img, temporary)
            written.append(path)
    return written
