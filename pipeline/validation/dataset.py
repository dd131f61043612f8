"""Check a dataset: its volume counts, its transcripts, and every subject's responses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.config.stories import all_stories, subjects_and_stories
from pipeline.core.errors import InputError
from pipeline.core.findings import Findings, some
from pipeline.core.progress import track
from pipeline.dataset.blocks import shared_stories
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.grid import Grid
from pipeline.dataset.prepare import reading_options
from pipeline.validation.responses import check_copies, check_responses, check_voxel_counts
from pipeline.validation.stories import check_stories
from pipeline.validation.volumes import check_volumes


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
    stories = [story for name, story in subjects_and_stories(config) if name == subject]
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
