"""Maps of what each band explains."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from pipeline.core.atomic import atomic_path
from pipeline.maps.scale import difference_scale
from pipeline.voxels.volume import Mask, to_volume


def write_shares(
    shares: Mapping[str, Mapping[str, np.ndarray]], mask: Mask, *, folder: Path, subject: str
) -> list[dict[str, Any]]:
    """Write each band's share of the explained variance as NIfTI, negative shares kept.

    Parameters
    ----------
    shares : mapping of model to mapping of band to array of shape (n_voxels,)
        `pipeline.fit.file.FitFile.shares`.
    mask : Mask
        Where the voxels are.
    folder : Path
        Where the files go.
    subject : str
        The subject's label.

    Returns
    -------
    list of dict
        One record a file, as of `pipeline.maps.voxelmap`; one scale, in their headers, for all.
    """
    top = difference_scale([v for bands in shares.values() for v in bands.values()]).vmax
    records = []
    for model, bands in shares.items():
        for band, values in bands.items():
            path = folder / f"sub-{subject}_model-{model}_band-{band}_stat-share_statmap.nii.gz"
            img = to_volume(values, mask)
            img.header["cal_min"], img.header["cal_max"] = -top, top
            img.header["descrip"] = f"share of {band} in R2"
            with atomic_path(path) as temporary:
                nib.save(img, temporary)
            named = {"model": model, "minus": None, "band": band, "q": None}
            title = f"{subject}, {model}: share of {band} in R2"
            facts = {"file": path.name, "kind": "nifti", "stat": "share", "title": title}
            records.append(facts | named | {"unit": "share of R2"})
    return records
