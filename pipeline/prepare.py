"""Responses in any format become HDF5 of the kept rows, as those of ds003020 come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.atomic import atomic_h5
from pipeline.dataset import Dataset
from pipeline.design import zscore
from pipeline.readers import needs_mask, open_responses
from pipeline.timing import Grid
from pipeline.volume import Mask

REPEATS = "individual_repeats"


def reading_options(config: dict[str, Any], subject: str) -> dict[str, Any]:
    """What `pipeline.readers.open_responses` needs for a subject's files.

    Raises
    ------
    InputError
        If a mask is needed that cannot be read.
    """
    is_masked = config["mask"] and needs_mask(config["responses"]["path"])
    mask = Mask.from_config(config["mask"], subject) if is_masked else None
    return {**config["responses"], "mask": mask, "tr": config["timing"]["tr"]}


def prepare(config: dict[str, Any], subject: str, story: str, output: str | Path) -> None:
    """Write a subject's responses to a story as HDF5, one row for each kept volume.

    Parameters
    ----------
    config : dict
        `pipeline.dataset.KEYS` and `mask` of a complete configuration.
    subject, story : str
        Whose responses, to what.
    output : path
        HDF5 to write: `data` (row, voxel), and `individual_repeats` (repeat, row, voxel) if the
        source has them.

    Raises
    ------
    InputError
        If the source cannot be read.
    """
    dataset = Dataset.from_config(config)
    options, grid = reading_options(config, subject), dataset.grid(story)
    with open_responses(dataset.source(subject, story), options) as source, atomic_h5(output) as to:
        to["data"] = ready(source[:], grid, options)
        repeats = (
            source.file.get("individual_repeats") if isinstance(source, h5py.Dataset) else None
        )
        if repeats is not None:
            to["individual_repeats"] = np.stack([ready(one, grid, options) for one in repeats])


def ready(values: np.ndarray, grid: Grid, options: dict[str, Any]) -> np.ndarray:
    """Filter, trim and scale the responses to a story.

    The filter sees the whole run, before it is trimmed.

    Parameters
    ----------
    values : array of shape (n_rows_in_file, n_voxels)
        As read.
    grid : Grid
        TR grid of the story.
    options : dict
        `responses` of the configuration.

    Returns
    -------
    array of shape (n_rows, n_voxels), float32
    """
    if options["high_pass"]:
        from nilearn.signal import clean  # nilearn is slow to import

        values = clean(
            values.astype(np.float64),
            detrend=False,
            standardize_confounds=False,
            standardize=None,
            filter="cosine",
            high_pass=options["high_pass"],
            t_r=grid.tr,
        )
    if not options["trimmed"]:
        values = values[grid.kept]
    return (zscore(values.astype(np.float64)) if options["zscore"] else values).astype(np.float32)
