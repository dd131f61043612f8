"""Check the whole dataset before anything else, and list all its problems at once."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.config.load import all_stories, training_stories
from pipeline.core.errors import InputError, Problem
from pipeline.core.findings import Findings, some
from pipeline.core.progress import track
from pipeline.dataset.blocks import shared_stories
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.grid import Grid
from pipeline.dataset.prepare import reading_options
from pipeline.readers.formats import shape_of
from pipeline.validation.embedding import check_embedding, embedding_files, needs
from pipeline.validation.masks import check_masks, mask_file
from pipeline.validation.models import check_models, model_files
from pipeline.validation.regions import check_regions
from pipeline.validation.responses import check_copies, check_responses, check_voxel_counts
from pipeline.validation.stories import check_shifts, check_stories
from pipeline.validation.volumes import check_volumes, pairs


def validate(config: dict[str, Any]) -> list[Problem]:
    """Check every input file that a configuration names.

    Parameters
    ----------
    config : dict
        Complete configuration (`pipeline.config.load.complete`).

    Returns
    -------
    list of Problem
        Warnings: what the workflow can live with (constant voxels, words after the scan).

    Raises
    ------
    InputError
        With all the problems of all the files.
    """
    dataset, n_rows, n_voxels = check_dataset(config)
    return checked(dataset, check_settings(config, n_rows, n_voxels))


def checked(*found: Findings) -> list[Problem]:
    """The warnings of all checks, each once.

    Raises
    ------
    InputError
        With all their problems.
    """
    problems = [problem for findings in found for problem in findings.problems]
    if problems:
        raise InputError(dict.fromkeys(problems))
    return list(dict.fromkeys(warning for findings in found for warning in findings.warnings))


def check_dataset(config: dict[str, Any]) -> tuple[Findings, dict[str, int], dict[str, int]]:
    """Check transcripts and responses.

    Returns
    -------
    Findings
    n_rows : dict of str to int
        Rows of the stories, and
    n_voxels : dict of str to int
        voxels of the subjects, as far as they are known.
    """
    dataset = Dataset.from_config(config)
    findings = Findings()
    grids: dict[str, Grid] = {}
    n_voxels: dict[str, int] = {}
    if dataset.root.is_dir():
        grids = check_volumes(config, dataset, findings)
        check_stories(dataset, all_stories(config), grids, findings)
        for subject in config["subjects"]:
            _check_subject(config, dataset, subject, grids, findings, n_voxels)
    else:
        remedy = "fetch the dataset (`snakemake fetch`), or correct `data_root`"
        findings.problem(dataset.root, "data_root", "there is no such folder", remedy)
    for story, gap in shared_stories(config).items():
        what = f"training and test rows are of one story, {gap} TRs apart (time-blocked)"
        remedy = "nothing, if there is no other story; the r is of this story, not of new ones"
        findings.warn("blocks", story, what, remedy)
    return findings, {story: grid.n_rows for story, grid in grids.items()}, n_voxels


def check_settings(
    config: dict[str, Any], n_rows: Mapping[str, int], n_voxels: Mapping[str, int]
) -> Findings:
    """Check what bands, masks and regions are read from, and what tests need.

    Parameters
    ----------
    config : dict
        Complete configuration.
    n_rows, n_voxels : mappings of str to int
        Of `check_dataset`, or of a `manifest`.
    """
    dataset = Dataset.from_config(config)
    findings = check_shifts(config, n_rows)
    if needs(config, "truth") and not dataset.truth.is_dir():
        what = "a band needs the ground truth, which simulated datasets alone have"
        findings.problem(dataset.truth, "features", what, "remove the band, or set `simulate`")
    findings.add(check_embedding(config))
    findings.add(check_models(config))
    findings.add(check_masks(config, n_voxels))
    findings.add(check_regions(config))
    return findings


def input_files(config: dict[str, Any]) -> list[Path]:
    """Every input file that a configuration uses, in a fixed order, there or not."""
    return list(dict.fromkeys([*dataset_files(config), *settings_files(config)]))


def dataset_files(config: dict[str, Any]) -> list[Path]:
    """The files that everything rests on: transcripts, responses, volume counts."""
    dataset = Dataset.from_config(config)
    files = [
        *([dataset.respdict] if config["responses"]["volumes"] else []),
        *(dataset.transcript(story) for story in all_stories(config)),
        *(dataset.source(subject, story) for subject, story in pairs(config)),
    ]
    return list(dict.fromkeys(files))


def settings_files(config: dict[str, Any]) -> list[Path]:
    """Every other input file: what bands and maps are made with."""
    dataset = Dataset.from_config(config)
    masks = [mask_file(config, subject) for subject in config["subjects"]]
    truth = dataset.truth.rglob("*") if needs(config, "truth") else ()
    files = [
        *embedding_files(config),
        *model_files(config).values(),
        *(mask for mask in masks if mask is not None),
        *sorted(path for path in truth if path.is_file()),
    ]
    return list(dict.fromkeys(files))


def manifest(config: dict[str, Any]) -> dict[str, Any]:
    """Describe the dataset of a run: its files, rows and voxels.

    Parameters
    ----------
    config : dict
        Complete configuration of a dataset that `validate` accepts.

    Returns
    -------
    dict
        `files` (`describe_files`); `n_rows`, story to rows; `n_voxels`, subject to voxels. Equal
        input gives an equal dict.
    """
    dataset = Dataset.from_config(config)
    return {
        "files": describe_files(config, dataset_files(config)),
        "n_rows": {story: dataset.grid(story).n_rows for story in all_stories(config)},
        "n_voxels": {
            subject: _n_voxels(config, dataset, subject) for subject in config["subjects"]
        },
    }


def describe_files(config: dict[str, Any], files: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """`bytes` and `sha256` of files, by path (relative to the dataset's root if inside it)."""
    root = Path(config["data_root"])
    return {_name(path, root): _describe(path) for path in track(list(files), "checksums")}


def _n_voxels(config: dict[str, Any], dataset: Dataset, subject: str) -> int:
    """Voxels in a subject's responses to any one story."""
    path = dataset.source(subject, training_stories(config, subject)[0])
    return shape_of(path, reading_options(config, subject))[1]


def fingerprint(config: dict[str, Any], files: Iterable[Path]) -> str:
    """Cheap digest of raw input, from the sizes and times of its files.

    It changes when a file is fetched or changed, and needs none to exist. The files of a simulated
    dataset, which a rule of the workflow writes, are represented by the settings of the simulation.
    """
    root, simulated = Path(config["data_root"]), config["simulate"]
    kept = [p for p in files if simulated is None or not p.is_relative_to(root)]
    lines = [f"{path.as_posix()} {_state(path)}" for path in kept]
    lines.append(json.dumps([simulated, config["seeds"]["simulation"]], sort_keys=True))
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
