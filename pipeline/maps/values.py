"""The values of a map as a file of the form that the responses came in."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

from pipeline.core.atomic import atomic_path
from pipeline.core.bids import with_entities
from pipeline.maps.gifti import write_gifti
from pipeline.maps.scale import Scale
from pipeline.voxels.vertices import Vertices, to_dscalar
from pipeline.voxels.volume import Mask, to_volume, to_volumes

CHANNELS = ("red", "green", "blue")


def write_values(
    values: np.ndarray,
    places: Mask | Vertices,
    folder: Path,
    stem: str,
    title: str,
    scale: Scale,
) -> list[tuple[Path, str]]:
    """Write a map as NIfTI, as a pair of GIFTI files, or as a CIFTI scalar.

    Parameters
    ----------
    values : array of shape (n_values,)
        NaN where there is none.
    places : Mask or Vertices
        Where the values are.
    folder, stem : Path, str
        Where the files go, and the entities of their names (`pipeline.core.bids`).
    title : str
        What the map shows.
    scale : Scale
        Its label is kept in the files; NIfTI headers have its limits (`cal_min`, `cal_max`).

    Returns
    -------
    list of (Path, str)
        The files, each with its kind.
    """
    if isinstance(places, Mask):
        img = to_volume(values, places)
        img.header["cal_min"], img.header["cal_max"] = scale.vmin, scale.vmax
        img.header["descrip"] = scale.label[:79]
        return [(_saved(img, folder / f"{stem}_statmap.nii.gz"), "nifti")]
    places.check_count(len(values), "values")
    if places.axis is None:
        files = write_gifti(places.sample(values), folder, stem, title, scale.label, places.space)
        return [(path, "gifti") for path in files]
    named = [f"{title} ({scale.label})"]
    return [(_saved_dscalar(values[None], named, places, folder, stem, "statmap"), "cifti")]


def write_colours(
    colours: np.ndarray, places: Mask | Vertices, folder: Path, stem: str, title: str
) -> list[Path]:
    """Write colours as maps of red, green and blue, in the form of `write_values`.

    Parameters
    ----------
    colours : array of shape (3, n_values)
        0..1; NaN where there is none (and 0 outside a mask).
    places : Mask or Vertices
        Where the values are.
    folder, stem : Path, str
        Where the files go, and the entities of their names.
    title : str
        What the colours show.
    """
    names = [f"{title}: {channel}" for channel in CHANNELS]
    if isinstance(places, Mask):
        img = to_volumes(colours, places, tr=1.0)
        img.header["descrip"] = f"red, green, blue: {title}"[:79]
        return [_saved(img, folder / f"{stem}_rgb.nii.gz")]
    places.check_count(colours.shape[1], "values")
    if places.axis is None:
        # A hemisphere's values of the three channels, an array each.
        sampled = [places.sample(channel) for channel in colours]
        by_side = {side: np.stack([own[side] for own in sampled]) for side in sampled[0]}
        return write_gifti(by_side, folder, stem, names, "arbitrary", places.space, "rgb")
    return [_saved_dscalar(colours, names, places, folder, stem, "rgb")]


def _saved_dscalar(
    values: np.ndarray, names: list[str], places: Vertices, folder: Path, stem: str, suffix: str
) -> Path:
    """Write maps, (n_maps, n_values), with the brain models that they came with."""
    named = with_entities(stem, space=places.space, den=places.density)
    return _saved(to_dscalar(values, places, names), folder / f"{named}_{suffix}.dscalar.nii")


def _saved(img: nib.Nifti1Image | nib.Cifti2Image, path: Path) -> Path:
    with atomic_path(path) as temporary:
        nib.save(img, temporary)
    return path
