"""Checks of the brain mask, which puts the voxels of the responses back into a volume."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.errors import Findings, ProblemError
from pipeline.core.files import file_problem
from pipeline.voxels.volume import read_image

_REMEDY = "use the mask that the responses were extracted with"


def mask_files(config: dict[str, Any]) -> dict[str, Path]:
    """The mask of each subject; none if the configuration has none."""
    if config["mask"] is None:
        return {}
    path = config["mask"]["path"]
    return {subject: Path(path.replace("{subject}", subject)) for subject in config["subjects"]}


def check_masks(files: Mapping[str, Path], n_voxels: Mapping[str, int]) -> Findings:
    """Check every subject's mask against the number of voxels in the responses.

    Parameters
    ----------
    files : mapping of str to Path
        The mask of each subject.
    n_voxels : mapping of str to int
        Voxels of each subject whose responses could be read.
    """
    findings = Findings()
    sizes: dict[Path, int | None] = {}
    for subject, path in files.items():
        if path not in sizes:
            sizes[path] = _mask_size(path, findings)
        size = sizes[path]
        if size is not None and n_voxels.get(subject, size) != size:
            what = f"{size} voxels in the mask, but {n_voxels[subject]} in {subject}'s responses"
            findings.problem(path, "", what, _REMEDY)
    return findings


def _mask_size(path: Path, findings: Findings) -> int | None:
    """Nonzero voxels of a mask; None and a problem if it is no mask."""
    if problem := file_problem(path):
        findings.problems.append(problem)
        return None
    try:
        values = np.asanyarray(read_image(path).dataobj)
    except ProblemError as error:
        findings.problems += error.problems
        return None
    if values.ndim != 3:
        findings.problem(path, "", f"the mask's shape is {values.shape}, not 3-D", _REMEDY)
        return None
    if not np.isfinite(values).all():
        findings.problem(path, "", "the mask holds NaN or infinities", _REMEDY)
        return None
    return int(np.count_nonzero(values))
