"""The region of every voxel, from what the configuration names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.affines import apply_affine

from pipeline.core.errors import Problem, ProblemError
from pipeline.core.hdf5 import open_h5
from pipeline.dataset.dataset import NAMED, TRUTH
from pipeline.fit.file import FitFile
from pipeline.readers.delimited import line_of, numbers, read_delimited
from pipeline.regions.annotation import NO_REGION, label_voxels, read_annotation, read_sheets
from pipeline.regions.atlas import read_atlas
from pipeline.regions.files import region_path
from pipeline.voxels.volume import Mask, read_image

MOST = 2**31  # labels are below


def read_parcellations(
    regions: Mapping[str, Mapping[str, Any]],
    mask: Mapping[str, Any] | None,
    truth: str | Path | None,
    subject: str,
    named: Sequence[str] | None = None,
) -> dict[str, np.ndarray]:
    """Read all parcellations of a subject, the true regions of a simulated one first.

    The columns of responses with names are the next: each is a region.

    Parameters
    ----------
    regions : mapping
        `regions` of the configuration.
    mask : mapping or None
        `mask` of the configuration, where `regions` names any.
    truth : path or None
        Folder of the ground truth of simulated subjects.
    subject : str
        The subject.
    named : sequence of str, optional
        Names of the responses' columns (`pipeline.fit.file.FitFile.region_names`).

    Returns
    -------
    dict of parcellation to array of str, shape (n_voxels,)
    """
    found = {TRUTH: read_truth(truth, subject)} if truth else {}
    if named is not None:
        found[NAMED] = np.array(named, dtype=str)
    for name, options in regions.items():
        found[name] = read_labels(options, Mask.from_config(dict(mask or {}), subject), subject)
    return found


def parcellations_of_subjects(
    fits: Mapping[tuple[str, str], str | Path],
    baseline: str,
    *,
    regions: Mapping[str, Mapping[str, Any]],
    mask: Mapping[str, Any] | None,
    truth: str | Path | None,
) -> dict[str, dict[str, np.ndarray]]:
    """`read_parcellations` of every subject.

    Parameters
    ----------
    fits : mapping of (subject, model) to path
        HDF5 of the fits; the baseline's say which columns have names.
    baseline : str
        The baseline.
    regions, mask, truth
        As there.

    Returns
    -------
    dict of subject to dict of parcellation to array of str, shape (n_voxels,)
    """
    return {
        subject: read_parcellations(regions, mask, truth, subject, FitFile(path).region_names())
        for (subject, model), path in fits.items()
        if model == baseline
    }


def read_truth(truth: str | Path, subject: str) -> np.ndarray:
    """True region (A, B, C or D) of a simulated subject's voxels, array of str, (n_voxels,)."""
    with open_h5(Path(truth) / "regions.h5") as file:
        return file[subject].asstr()[:]


def read_labels(options: Mapping[str, Any], mask: Mask, subject: str) -> np.ndarray:
    """Read a parcellation.

    Parameters
    ----------
    options : mapping
        One entry of the configuration's `regions`: `volume` with `names`, or `left` and `right`
        with `surfaces`, or `atlas` with `options`. {subject} is replaced in paths.
    mask : Mask
        Where the voxels are.
    subject : str
        The subject's label.

    Returns
    -------
    array of str, shape (n_voxels,)
        Name of each voxel's region, empty outside all of them.

    Raises
    ------
    ProblemError
        A file is missing, is not what it should be, or no voxel is in any region.
    """
    if options.get("atlas"):
        source = f"nilearn's atlas {options['atlas']}"
        labels = _of_atlas(read_atlas(options["atlas"], options.get("options") or {}), mask, source)
    elif options.get("volume"):
        path = region_path(options, "volume", subject)
        source = str(path)
        names = _read_names(region_path(options, "names", subject)) if options.get("names") else {}
        labels = label_volume(read_image(path), names, mask, source)
    else:
        sides = {side: region_path(options, side, subject) for side in ("left", "right")}
        source = ", ".join(map(str, sides.values()))
        surfaces = region_path(options, "surfaces", subject) if options.get("surfaces") else None
        annotations = {side: read_annotation(path, side) for side, path in sides.items()}
        labels = label_voxels(annotations, read_sheets(surfaces, mask), mask, source)
    if (labels == NO_REGION).all():
        what = f"none of its regions holds a voxel of {mask.source}"
        raise ProblemError(Problem(source, "", what, "check that both are in the same space"))
    return labels


def label_volume(
    img: nib.Nifti1Image, names: Mapping[int, str], mask: Mask, source: str
) -> np.ndarray:
    """Region at the centre of every voxel of the mask, on whatever grid the regions are.

    Parameters
    ----------
    img : Nifti1Image, shape (x, y, z)
        A whole number for each region, 0 outside.
    names : mapping of int to str
        Names of the numbers; others are named by the number itself.
    mask : Mask
        Where the voxels are.
    source : str
        The file, for error messages.

    Returns
    -------
    array of str, shape (n_voxels,)

    Raises
    ------
    ProblemError
        The image is not 3-D or holds other than whole numbers.
    """
    data = np.asanyarray(img.dataobj)
    if data.ndim != 3 or not _is_whole(data):
        what = f"not a labelled image: shape {data.shape}, {data.dtype}"
        remedy = "give a 3-D image that holds one whole number for each region"
        raise ProblemError(Problem(source, "", what, remedy))
    places = apply_affine(mask.img.affine, mask.voxels)
    ijk = np.rint(apply_affine(np.linalg.inv(img.affine), places)).astype(int)
    inside = np.all((ijk >= 0) & (ijk < data.shape), axis=1)
    values = np.zeros(mask.n_voxels, dtype=int)
    values[inside] = data[tuple(ijk[inside].T)]
    found, inverse = np.unique(values, return_inverse=True)
    known = {0: NO_REGION} | {int(value): str(name) for value, name in names.items() if value != 0}
    return np.array([known.get(int(value), str(value)) for value in found])[inverse]


def _is_whole(data: np.ndarray) -> bool:
    """Whether all values are whole numbers that an int32 holds."""
    return bool(np.all(np.rint(data) == data) and np.abs(data).max(initial=0) < MOST)


def unnamed(options: Mapping[str, Any], labels: np.ndarray, subject: str) -> list[str]:
    """Numbers among the labels of a volume that its table of names leaves out."""
    if not options.get("names"):
        return []
    return _nameless(labels, _read_names(region_path(options, "names", subject)))


def _nameless(labels: np.ndarray, names: Mapping[int, str]) -> list[str]:
    """Labels that are none of the names: numbers that have none."""
    return sorted(set(labels) - set(names.values()) - {NO_REGION})


def _of_atlas(atlas: Mapping[str, Any], mask: Mask, source: str) -> np.ndarray:
    """Regions of one of nilearn's atlases, which are in MNI space."""
    if mask.space != "MNI":
        what, remedy = "the mask is in native space", "use regions in the subject's own space"
        raise ProblemError(Problem(mask.source, source, what, remedy))
    if "map_left" in atlas:
        regions = np.array([str(name) for name in atlas["labels"]])
        sides = {side: regions[atlas[f"map_{side}"]] for side in ("left", "right")}
        return label_voxels(sides, read_sheets(None, mask), mask, source)
    if atlas.get("lut") is None:
        remedy = "choose one whose regions do not overlap (harvard_oxford with a maxprob, say)"
        raise ProblemError(Problem(source, "", "the atlas is probabilistic", remedy))
    img = atlas["maps"] if isinstance(atlas["maps"], nib.Nifti1Image) else read_image(atlas["maps"])
    table = atlas["lut"]
    names = dict(zip(table["index"].astype(int), table["name"].astype(str), strict=True))
    background = {value: name for value, name in names.items() if name.lower() == "background"}
    labels = label_volume(img, names | dict.fromkeys(background, NO_REGION), mask, source)
    if without := _nameless(labels, names):
        what = f"its list has no name for {', '.join(without)}"
        raise ProblemError(Problem(source, "regions", what, "delete its files, and fetch it again"))
    return labels


def _read_names(path: Path) -> dict[int, str]:
    """Names of the numbers in a labelled image, from a BIDS look-up table."""
    table = read_delimited(path)
    if not {"index", "name"} <= set(table):
        what = f"there is no column 'index' or 'name', only {', '.join(map(repr, table))}"
        remedy = "give a tab-separated table with the columns index and name"
        raise ProblemError(Problem(path, "line 1", what, remedy))
    index = numbers(table["index"])
    faults = {
        "the index is no whole number": ~(index == np.rint(index)) | (index.abs() >= MOST),
        "the number is named twice": index.duplicated(keep=False),
        "the number is without a name": table["name"].isna(),
    }
    for what, where in faults.items():
        if where.any():
            place = f"line {line_of(table.index[where][0])}"
            raise ProblemError(Problem(path, place, what, "correct the row"))
    return dict(zip(index.astype(int), table["name"], strict=True))
