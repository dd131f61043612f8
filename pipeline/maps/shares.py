"""Maps of what each band explains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.bids import bids_stem
from pipeline.maps.scale import difference_scale
from pipeline.maps.values import write_values
from pipeline.voxels.vertices import Vertices
from pipeline.voxels.volume import Mask


def write_shares(
    shares: Mapping[str, Mapping[str, np.ndarray]],
    places: Mask | Vertices,
    *,
    folder: Path,
    subject: str,
) -> list[dict[str, Any]]:
    """Write each band's share of the explained variance, negative shares kept.

    Parameters
    ----------
    shares : mapping of model to mapping of band to array of shape (n_voxels,)
        `pipeline.fit.file.FitFile.shares`.
    places : Mask or Vertices
        Where the values are.
    folder : Path
        Where the files go.
    subject : str
        The subject's label.

    Returns
    -------
    list of dict
        One record a file, as of `pipeline.maps.voxelmap`; one scale, in their headers, for all.
    """
    common = difference_scale([v for bands in shares.values() for v in bands.values()])
    records = []
    for model, bands in shares.items():
        for band, values in bands.items():
            stem = bids_stem(sub=subject, band=band, stat="share", desc=model)
            title = f"{subject}, {model}: share of {band} in R2"
            scale = replace(common, label=f"share of {band} in R2")
            named = {"model": model, "minus": None, "band": band, "q": None}
            for path, kind in write_values(values, places, folder, stem, title, scale):
                facts = {"file": path.name, "kind": kind, "stat": "share", "title": title}
                records.append(facts | named | {"unit": "share of R2"})
    return records
