"""Responses in any format become HDF5 of the kept rows, as those of ds003020 come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.core.atomic import atomic_h5
from pipeline.core.errors import Problem, ProblemError, some
from pipeline.core.hdf5 import write_regions
from pipeline.core.series import neutral, zscore
from pipeline.dataset.clean import Nuisance, cleaned, read_nuisance
from pipeline.dataset.dataset import COUNTED, Dataset
from pipeline.dataset.grid import Grid
from pipeline.readers.formats import is_hdf5, needs_mask, open_responses, region_names
from pipeline.voxels.volume import Mask

REPEATS = "individual_repeats"


def reading_options(
    config: dict[str, Any], subject: str, path: str | Path | None = None
) -> dict[str, Any]:
    """What `pipeline.readers.formats.open_responses` needs for a subject's files.

    Parameters
    ----------
    config : dict
        Complete configuration.
    subject : str
        The subject.
    path : path, optional
        A file of another format than the run's.

    Raises
    ------
    ProblemError
        If a mask is needed that cannot be read.
    """
    options = Dataset.from_config(config).responses_as
    is_masked = config["mask"] and needs_mask(path or options["path"])
    mask = Mask.from_config(config["mask"], subject) if is_masked else None
    return {**options, "mask": mask, "tr": config["timing"]["tr"]}


def by_name(
    path: Path, options: Mapping[str, Any], regions: Sequence[str] | None
) -> Mapping[str, Any]:
    """Options with which the regions of a table are read in the order of these names.

    Raises
    ------
    ProblemError
        If the columns of a format that is read as it stands have other names, or another order.
    """
    names = None if regions is None else region_names(path, options)
    if regions is None or names == list(regions):
        return options
    if names is None or is_hdf5(path):
        what = f"its columns are not the regions {some(map(repr, regions))}, in this order"
        remedy = "write the columns in the order of the subject's other stories"
        raise ProblemError(Problem(path, "regions", what, remedy))
    return {**options, "columns": list(regions)}


def prepare(
    config: dict[str, Any],
    subject: str,
    story: str,
    output: str | Path,
    dropped: Sequence[int] = (),
    regions: Sequence[str] | None = None,
) -> None:
    """Write a subject's responses to a story as HDF5, one row for each kept volume.

    Parameters
    ----------
    config : dict
        `pipeline.dataset.dataset.KEYS` and `mask` of a complete configuration.
    subject, story : str
        Whose responses, to what.
    output : path
        HDF5 to write: `data` (row, voxel); `individual_repeats` (repeat, row, voxel) if the source
        has them; `counted` (row,), where some rows do not count; `regions` (voxel,), where they
        have names.
    dropped : sequence of int
        Voxels of the subject that become 0 in every story, so that their results are NaN.
    regions : sequence of str, optional
        The subject's regions, which are taken by name, in this order; default, as in the file.

    Raises
    ------
    ProblemError
        If the source cannot be read.
    """
    dataset = Dataset.from_config(config)
    given, grid = reading_options(config, subject), dataset.grid(story)
    path, first = dataset.source(subject, story), dataset.cut[0]
    regions = region_names(path, given) if regions is None else regions
    options = by_name(path, given, regions)
    with open_responses(path, options) as source, atomic_h5(output) as file:
        nuisance = nuisance_of(dataset, subject, story, source.shape[0])
        write_regions(file, regions)
        file["data"] = ready(_without(source[:], dropped), grid, first, options, nuisance)
        if nuisance and nuisance.counted is not None:
            file[COUNTED] = nuisance.counted[rows_of_file(grid, first)]
        if isinstance(source, h5py.Dataset) and REPEATS in source.file:
            repeats = source.file[REPEATS]
            kept = (_without(one, dropped) for one in repeats)
            file[REPEATS] = np.stack([ready(one, grid, first, options) for one in kept])


def _without(values: np.ndarray, voxels: Sequence[int]) -> np.ndarray:
    """Values (row, voxel) with some voxels set to 0."""
    values[:, list(voxels)] = 0
    return values


def ready(
    values: np.ndarray,
    grid: Grid,
    first: int,
    options: Mapping[str, Any],
    nuisance: Nuisance | None = None,
) -> np.ndarray:
    """Clean, trim and scale the responses to a story.

    What is cleaned is the whole run, before it is trimmed; a block is scaled by its own rows. Rows
    that do not count become the mean of those that do, 0 where they are scaled.

    Parameters
    ----------
    values : array of shape (n_rows_in_file, n_voxels)
        As read.
    grid : Grid
        TR grid of the story.
    first : int
        Volume of the grid that is the first row of the file.
    options : mapping
        `responses` of the configuration.
    nuisance : Nuisance, optional
        Confounds of the run, and which of its volumes count.

    Returns
    -------
    array of shape (n_rows, n_voxels), float32

    Raises
    ------
    ProblemError
        If cleaning leaves nothing of any voxel but rounding.
    """
    values = values.astype(np.float64)
    high_pass, detrend = options.get("high_pass"), bool(options.get("detrend"))
    if high_pass or detrend or nuisance:
        values = cleaned(values, grid.tr, high_pass=high_pass, detrend=detrend, nuisance=nuisance)
    rows = rows_of_file(grid, first)
    values, counted = values[rows], nuisance.counted if nuisance else None
    if counted is None:
        return (zscore(values) if options["zscore"] else values).astype(np.float32)
    own = values[counted[rows]]
    values[counted[rows]] = zscore(own) if options["zscore"] else own
    return neutral(values, counted[rows]).astype(np.float32)


def rows_of_file(grid: Grid, first: int) -> slice:
    """The kept volumes of a story among the rows of its file, whose first is this volume."""
    return slice(grid.kept.start - first, grid.kept.stop - first)


def nuisance_of(dataset: Dataset, subject: str, story: str, n_volumes: int) -> Nuisance | None:
    """What is taken out of a run, as the configuration names it; None if nothing is named.

    Raises
    ------
    ProblemError
        As `pipeline.dataset.clean.read_nuisance`.
    """
    strategy = dataset.responses_as.get("confounds")
    if not strategy:
        return None
    path = dataset.source(subject, story)
    return read_nuisance(path, strategy, n_volumes, dataset.confounds(subject, story))
