"""Check the whole dataset before anything else, and list all its problems at once."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from pipeline.blocks import shared_stories
from pipeline.config import all_stories, training_stories
from pipeline.dataset import Dataset
from pipeline.errors import InputError, Problem
from pipeline.prepare import reading_options
from pipeline.progress import track
from pipeline.readers import shape_of
from pipeline.timing import Grid
from pipeline.validation.embedding import check_embedding, embedding_files, needs
from pipeline.validation.findings import Findings, some
from pipeline.validation.masks import check_masks, mask_file
from pipeline.validation.models import check_models, model_files
from pipeline.validation.regions import check_regions
from pipeline.validation.responses import check_copies, check_responses, check_voxel_counts
from pipeline.validation.stories import check_shifts, check_stories
from pipeline.validation.volumes import check_volumes, count_volumes, pairs

__all__ = ["count_volumes", "fingerprint", "input_files", "manifest", "validate"]


def validate(config: dict[str, Any]) -> list[Problem]:
    """Check every input file that a configuration names.

    Parameters
    ----------
    config : dict
        Complete configuration (`pipeline.config.complete`).

    Returns
    -------
    list of Problem
        Warnings: what the workflow can live with (constant voxels, words after the scan).

    Raises
    ------
    InputError
        With all the problems of all the files.
    """
    dataset = Dataset.from_config(config)
    findings = Findings()
    n_voxels: dict[str, int] = {}
    if dataset.root.is_dir():
        grids = check_volumes(config, dataset, findings)
        check_stories(dataset, all_stories(config), grids, findings)
        findings.add(check_shifts(config, grids))
        for subject in config["subjects"]:
            _check_subject(config, dataset, subject, grids, findings, n_voxels)
    else:
        remedy = "fetch the dataset (`snakemake fetch`), or correct `data_root`"
        findings.problem(dataset.root, "data_root", "there is no such folder", remedy)
    if needs(config, "truth") and not dataset.truth.is_dir():
        what = "a band needs the ground truth, which simulated datasets alone have"
        findings.problem(dataset.truth, "features", what, "remove the band, or set `simulate`")
    findings.add(check_embedding(config))
    findings.add(check_models(config))
    findings.add(check_masks(config, n_voxels))
    findings.add(check_regions(config))
    for story, gap in shared_stories(config).items():
        what = f"training and test rows are of one story, {gap} TRs apart (time-blocked)"
        remedy = "nothing, if there is no other story; the r is of this story, not of new ones"
        findings.warn("blocks", story, what, remedy)
    if findings.problems:
        raise InputError(dict.fromkeys(findings.problems))
    return list(dict.fromkeys(findings.warnings))


def input_files(config: dict[str, Any]) -> list[Path]:
    """Every input file that a configuration uses, in a fixed order, there or not."""
    dataset = Dataset.from_config(config)
    masks = [mask_file(config, subject) for subject in config["subjects"]]
    truth = dataset.truth.rglob("*") if needs(config, "truth") else ()
    files = [
        *([dataset.respdict] if config["responses"]["volumes"] else []),
        *(dataset.transcript(story) for story in all_stories(config)),
        *(dataset.source(subject, story) for subject, story in pairs(config)),
        *embedding_files(config),
        *model_files(config).values(),
        *(mask for mask in masks if mask is not None),
        *sorted(path for path in truth if path.is_file()),
    ]
    return list(dict.fromkeys(files))


def manifest(config: dict[str, Any]) -> dict[str, Any]:
    """Describe the input of a run: its files, rows and voxels.

    Parameters
    ----------
    config : dict
        Complete configuration of a dataset that `validate` accepts.

    Returns
    -------
    dict
        `files`, path (relative to the dataset's root if inside it) to `bytes` and `sha256`;
        `n_rows`, story to rows; `n_voxels`, subject to voxels. Equal input gives an equal dict.
    """
    dataset = Dataset.from_config(config)
    files = track(input_files(config), "checksums of files")
    return {
        "files": {_name(path, dataset.root): _describe(path) for path in files},
        "n_rows": {story: dataset.grid(story).n_rows for story in all_stories(config)},
        "n_voxels": {
            subject: _n_voxels(config, dataset, subject) for subject in config["subjects"]
        },
    }


def _n_voxels(config: dict[str, Any], dataset: Dataset, subject: str) -> int:
    """Voxels in a subject's responses to any one story."""
    path = dataset.source(subject, training_stories(config, subject)[0])
    return shape_of(path, reading_options(config, subject))[1]


def fingerprint(config: dict[str, Any]) -> str:
    """Cheap digest of the raw input, from the sizes and times of its files.

    It changes when a file is fetched or changed, and needs none to exist. The files of a simulated
    dataset are left out, as a rule of the workflow writes them.
    """
    root = Path(config["data_root"])
    is_simulated = config["simulate"] is not None
    files = [p for p in input_files(config) if not (is_simulated and p.is_relative_to(root))]
    lines = [f"{path.as_posix()} {_state(path)}" for path in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _name(path: Path, root: Path) -> str:
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def _describe(path: Path) -> dict[str, Any]:
    """Size and SHA-256 of a file, read a piece at a time."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}


def _state(path: Path) -> str:
    try:
        status = os.stat(path)
    except OSError:
        return "absent"
    return f"{status.st_size} {status.st_mtime_ns}"


def _check_subject(
    config: dict[str, Any],
    dataset: Dataset,
    subject: str,
    grids: dict[str, Grid],
    findings: Findings,
    n_voxels: dict[str, int],
) -> None:
    """Check a subject's responses; note its number of voxels if they agree on one."""
    there = dataset.subjects()
    if there is not None and subject not in there:
        what = f"unknown subject {subject!r}; there are {some(sorted(there), 20) or 'none'}"
        path = dataset.source(subject, "STORY").parent
        findings.problem(path, f"subjects.{subject}", what, "use one of them, or fetch it")
        return
    try:
        options = reading_options(config, subject)
    except InputError as error:
        findings.problems += error.problems
        return
    stories = [story for name, story in pairs(config) if name == subject]
    found: dict[Path, int] = {}
    digests: dict[Path, str] = {}
    for story in track(stories, f"responses of {subject}"):
        path = dataset.source(subject, story)
        if path in found:  # of another block
            continue
        n_rows = dataset.rows_in_file(grids[story]) if story in grids else None
        checked = check_responses(path, n_rows, options)
        findings.add(checked.findings)
        if checked.n_voxels is not None:
            found[path] = checked.n_voxels
        if checked.digest is not None:
            digests[path] = checked.digest
    findings.add(check_voxel_counts(found))
    findings.add(check_copies(digests))
    if len(set(found.values())) == 1:
        n_voxels[subject] = next(iter(found.values()))
