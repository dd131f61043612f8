"""Check the whole dataset before anything else, and list all its problems at once."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.config import all_stories, test_stories, training_stories
from pipeline.dataset import Dataset
from pipeline.errors import InputError, Problem
from pipeline.progress import track
from pipeline.stimuli import read_textgrid
from pipeline.timing import Grid
from pipeline.validation.embedding import check_embedding, embedding_files, needs
from pipeline.validation.files import file_problem
from pipeline.validation.findings import Findings, some
from pipeline.validation.masks import check_masks, mask_file
from pipeline.validation.models import check_models, model_files
from pipeline.validation.regions import check_regions
from pipeline.validation.responses import check_responses, check_voxel_counts


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
        grids = _check_respdict(dataset, all_stories(config), findings)
        _check_stories(dataset, all_stories(config), grids, findings)
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
    if findings.problems:
        raise InputError(dict.fromkeys(findings.problems))
    return list(dict.fromkeys(findings.warnings))


def input_files(config: dict[str, Any]) -> list[Path]:
    """Every input file that a configuration uses, in a fixed order, there or not."""
    dataset = Dataset.from_config(config)
    masks = [mask_file(config, subject) for subject in config["subjects"]]
    truth = dataset.truth.rglob("*") if needs(config, "truth") else ()
    files = [
        dataset.respdict,
        *(dataset.textgrid(story) for story in all_stories(config)),
        *(dataset.responses(subject, story) for subject, story in _pairs(config)),
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
    heard = dict(reversed(list(_pairs(config))))  # any one story of each subject
    return {
        "files": {_name(path, dataset.root): _describe(path) for path in files},
        "n_rows": {story: dataset.grid(story).n_rows for story in all_stories(config)},
        "n_voxels": {s: dataset.n_voxels(s, heard[s]) for s in config["subjects"]},
    }


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


def _pairs(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every subject and story that the subject heard."""
    for subject in config["subjects"]:
        for story in [*training_stories(config, subject), *test_stories(config, subject)]:
            yield subject, story


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


def _check_respdict(dataset: Dataset, stories: list[str], findings: Findings) -> dict[str, Grid]:
    """The TR grids of the stories whose volume counts are well."""
    path = dataset.respdict
    if problem := file_problem(path):
        findings.problems.append(problem)
        return {}
    try:
        counts = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # of JSON and of its encoding
        findings.problem(path, "", f"not JSON ({error})", "fetch the file again")
        return {}
    if not isinstance(counts, dict):
        findings.problem(path, "", "not an object of story: volumes", "fetch the file again")
        return {}
    grids = {}
    for story in stories:
        if story not in counts:
            what = "the story is not listed"
            findings.problem(path, story, what, "add its number of scanned volumes")
        elif type(counts[story]) is not int or counts[story] <= 0:
            what = f"{counts[story]!r} is not a number of volumes"
            findings.problem(path, story, what, "give the number of scanned volumes")
        elif (grid := Grid(counts[story], **dataset.timing)).n_rows < 1:
            what = f"{counts[story]} volumes leave no row after trimming"
            findings.problem(path, story, what, "correct it, or `timing` in the configuration")
        else:
            grids[story] = grid
    return grids


def _check_stories(
    dataset: Dataset, stories: list[str], grids: dict[str, Grid], findings: Findings
) -> None:
    """Check every TextGrid, and that the words fit into the scan."""
    for story in track(stories, "transcripts"):
        path = dataset.textgrid(story)
        try:
            words = read_textgrid(path)
        except InputError as error:
            findings.problems += error.problems
        else:
            if story in grids:
                _check_span(path, words, grids[story], findings)


def _check_span(path: Path, words: pd.DataFrame, grid: Grid, findings: Findings) -> None:
    end = grid.n_volumes * grid.tr - grid.sound_start
    late = words["word"][words["onset"] >= end]
    if len(late):
        what = f"{len(late)} of {len(words)} words begin after the scan's end at {end:g} s"
        remedy = "nothing, if the scan was cut short; else check respdict.json and `timing`"
        findings.warn(path, f"words {some(late)}", what, remedy)


def _check_subject(
    config: dict[str, Any],
    dataset: Dataset,
    subject: str,
    grids: dict[str, Grid],
    findings: Findings,
    n_voxels: dict[str, int],
) -> None:
    """Check a subject's responses; note its number of voxels if they agree on one."""
    folder = dataset.responses(subject, "any").parent
    if not folder.is_dir():
        there = folder.parent.iterdir() if folder.parent.is_dir() else ()
        names = sorted(path.name for path in there if path.is_dir())
        what = f"unknown subject {subject!r}; there are {some(names, 20) or 'none'}"
        findings.problem(folder, f"subjects.{subject}", what, "use one of them, or fetch it")
        return
    stories = [story for name, story in _pairs(config) if name == subject]
    found: dict[Path, int] = {}
    for story in track(stories, f"responses of {subject}"):
        path = dataset.responses(subject, story)
        n_rows = grids[story].n_rows if story in grids else None
        in_file, count = check_responses(path, n_rows)
        findings.add(in_file)
        if count is not None:
            found[path] = count
    findings.add(check_voxel_counts(found))
    if len(set(found.values())) == 1:
        n_voxels[subject] = next(iter(found.values()))
