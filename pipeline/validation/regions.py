"""Checks of the parcellations that tables by region are made with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.core.errors import Findings, ProblemError, some
from pipeline.core.files import file_problem
from pipeline.regions.files import region_files, region_path
from pipeline.voxels.volume import Mask


def parcellation_files(config: dict[str, Any]) -> list[Path]:
    """Files that the subjects' regions are read from."""
    files = [
        path
        for subject in config["subjects"]
        for options in config["regions"].values()
        for path in region_files(options, subject)
    ]
    return list(dict.fromkeys(files))


def check_regions(config: dict[str, Any]) -> Findings:
    """Check that every subject's regions can be read and hold voxels of the subject's mask.

    Subjects whose mask cannot be read are left to `pipeline.validation.masks`.
    """
    findings = Findings()
    findings.problems += [p for p in map(file_problem, parcellation_files(config)) if p]
    if findings.problems:
        return findings
    for subject in config["subjects"] if config["regions"] else ():
        try:
            mask = Mask.from_config(config["mask"], subject)
        except ProblemError:
            continue
        for options in config["regions"].values():
            _check_parcellation(options, mask, subject, findings)
    return findings


def _check_parcellation(
    options: Mapping[str, Any], mask: Mask, subject: str, findings: Findings
) -> None:
    from pipeline.regions.labels import read_labels, unnamed  # nilearn is slow to import

    try:
        labels = read_labels(options, mask, subject)
        left_out = unnamed(options, labels, subject)
    except ProblemError as error:
        findings.problems += error.problems
        return
    if left_out:
        path = region_path(options, "names", subject)
        what = f"no name for {some(left_out)}: tables show the number"
        findings.warn(path, "", what, "add it, or nothing")
