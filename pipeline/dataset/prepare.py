"""Responses in any format become HDF5 of the kept rows, as those of ds003020 come."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.core.atomic import atomic_h5
from pipeline.core.errors import Problem, ProblemError
from pipeline.core.series import ROUNDING, zscore
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.grid import Grid
from pipeline.readers.formats import needs_mask, open_responses
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
    is_masked = config["mask"] and needs_mask(path or config["responses"]["path"])
    mask = Mask.from_config(config["mask"], subject) if is_masked else None
    return {**config["responses"], "mask": mask, "tr": config["timing"]["tr"]}


def prepare(
    config: dict[str, Any],
    subject: str,
    story: str,
    output: str | Path,
    dropped: Sequence[int] = (),
) -> None:
    """Write a subject's responses to a story as HDF5, one row for each kept volume.

    Parameters
    ----------
    config : dict
        `pipeline.dataset.dataset.KEYS` and `mask` of a complete configuration.
    subject, story : str
        Whose responses, to what.
    output : path
        HDF5 to write: `data` (row, voxel), and `individual_repeats` (repeat, row, voxel) if the
        source has them.
    dropped : sequence of int
        Voxels of the subject that become 0 in every story, so that their results are NaN.

    Raises
    ------
    ProblemError
        If the source cannot be read.
    """
    dataset = Dataset.from_config(config)
    options, grid = reading_options(config, subject), dataset.grid(story)
    path, first = dataset.source(subject, story), dataset.cut[0]
    with open_responses(path, options) as source, atomic_h5(output) as file:
        file["data"] = ready(_without(source[:], dropped), grid, first, options)
        if isinstance(source, h5py.Dataset) and REPEATS in source.file:
            repeats = source.file[REPEATS]
            kept = (_without(one, dropped) for one in repeats)
            file[REPEATS] = np.stack([ready(one, grid, first, options) for one in kept])


def _without(values: np.ndarray, voxels: Sequence[int]) -> np.ndarray:
    """Values (row, voxel) with some voxels set to 0."""
    values[:, list(voxels)] = 0
    return values


def ready(values: np.ndarray, grid: Grid, first: int, options: dict[str, Any]) -> np.ndarray:
    """Filter, trim and scale the responses to a story.

    The filter sees the whole run, before it is trimmed; a block is scaled by its own rows.

    Parameters
    ----------
    values : array of shape (n_rows_in_file, n_voxels)
        As read.
    grid : Grid
        TR grid of the story.
    first : int
        Volume of the grid that is the first row of the file.
    options : dict
        `responses` of the configuration.

    Returns
    -------
    array of shape (n_rows, n_voxels), float32

    Raises
    ------
    ProblemError
        If the filter leaves nothing of any voxel but rounding.
    """
    values = values.astype(np.float64)
    if options["high_pass"]:
        values = without_drifts(values, grid.tr, options["high_pass"])
    values = values[grid.kept.start - first : grid.kept.stop - first]
    return (zscore(values) if options["zscore"] else values).astype(np.float32)


def without_drifts(values: np.ndarray, tr: float, high_pass: float) -> np.ndarray:
    """Columns without their discrete cosines up to `high_pass` Hz; their means stay.

    Parameters
    ----------
    values : array of shape (n_rows, n_voxels)
        A whole run.
    tr : float
        Seconds from row to row.
    high_pass : float
        Hz.

    Raises
    ------
    ProblemError
        If nothing is left of any voxel but rounding.
    """
    from nilearn.signal import clean  # slow to import

    left = clean(
        values, detrend=False, standardize=None, filter="cosine", high_pass=high_pass, t_r=tr
    )
    _check_left(np.ptp(values, axis=0), np.ptp(left, axis=0), high_pass)
    return left


def _check_left(before: np.ndarray, after: np.ndarray, high_pass: float) -> None:
    """Raise if no voxel that had a range keeps one, above the rounding of what was taken."""
    varied = before > 0
    if varied.any() and not (after > ROUNDING * before)[varied].any():
        what = f"nothing of the responses is faster than {high_pass:g} Hz"
        remedy = "lower `responses.high_pass` (0.01 is usual), or take responses not low-passed"
        raise ProblemError(Problem("configuration", "responses.high_pass", what, remedy))
