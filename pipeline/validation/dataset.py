"""Check a dataset: its volume counts, its transcripts, and every subject's responses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config.stories import all_stories
from pipeline.core.errors import Findings, some
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.grid import shared_stories
from pipeline.validation import copies
from pipeline.validation.masks import mask_files
from pipeline.validation.records import Heard, all_heard
from pipeline.validation.region_names import check_region_names
from pipeline.validation.responses import check_recordings
from pipeline.validation.runs import check_runs
from pipeline.validation.stories import check_stories
from pipeline.validation.volumes import check_volumes


@dataclass(frozen=True, kw_only=True)
class CheckedDataset:
    """What is known of a dataset.

    Parameters
    ----------
    findings : Findings
        What is wrong with it, and what a user should know.
    n_rows : mapping of str to int
        Rows of the stories,
    n_voxels : mapping of str to int
        voxels of the subjects, and
    words : mapping of str to list of str
        words of the stories, as far as they are known.
    dropped_voxels : mapping of str to list of int
        Voxels that are left out of a subject's results (`responses.drop_nan_voxels`).
    """

    findings: Findings
    n_rows: Mapping[str, int]
    n_voxels: Mapping[str, int]
    words: Mapping[str, list[str]]
    dropped_voxels: Mapping[str, list[int]]


def check_dataset(config: dict[str, Any]) -> CheckedDataset:
    """Check volume counts, transcripts and responses, if the dataset is there at all."""
    dataset, findings = Dataset.from_config(config), Findings()
    n_rows: dict[str, int] = {}
    n_voxels: dict[str, int] = {}
    words: dict[str, list[str]] = {}
    dropped: dict[str, list[int]] = {}
    if dataset.root.is_dir():
        heard = all_heard(config)
        check_runs(dataset, heard, mask_files(config), findings)
        stimuli = check_volumes(dataset, all_stories(config), heard, findings)
        words = check_stories(stimuli, dataset.transcripts, findings)
        copies.check_transcripts(stimuli, words, config, findings)
        grids = {each.name: each.grid for each in stimuli if each.grid is not None}
        n_rows = {name: grid.n_rows for name, grid in grids.items()}
        in_files = {name: dataset.rows_in_file(grid) for name, grid in grids.items()}
        n_voxels, dropped = _check_subjects(dataset, heard, in_files, findings)
        check_region_names(heard, findings)
    else:
        remedy = "fetch the dataset (`snakemake fetch`), or correct `data_root`"
        findings.problem(dataset.root, "data_root", "there is no such folder", remedy)
    _check_blocks(shared_stories(config), findings)
    return CheckedDataset(
        findings=findings,
        n_rows=n_rows,
        n_voxels=n_voxels,
        words=words,
        dropped_voxels=dropped,
    )


def _check_subjects(
    dataset: Dataset, heard: list[Heard], n_rows: Mapping[str, int], findings: Findings
) -> tuple[dict[str, int], dict[str, list[int]]]:
    """Check every subject's responses; the voxels of those whose files agree on a number, and
    which of these are dropped.
    """
    there = dataset.subjects()
    n_voxels: dict[str, int] = {}
    dropped: dict[str, list[int]] = {}
    digests: dict[tuple[str, Path], str] = {}
    for each in heard:
        subject = each.subject
        if there is not None and subject not in there:
            what = f"unknown subject {subject!r}; there are {some(sorted(there), 20) or 'none'}"
            path = dataset.source(subject, "STORY").parent
            findings.problem(path, f"subjects.{subject}", what, "use one of them, or fetch it")
        elif each.unreadable:
            findings.problems += each.unreadable
        else:
            agreed, lost, found = check_recordings(each, n_rows, findings)
            n_voxels |= {} if agreed is None else {subject: agreed}
            dropped |= {subject: lost} if lost else {}
            digests |= {(subject, path): digest for path, digest in found.items()}
    copies.check_responses(digests, findings)
    return n_voxels, dropped


def _check_blocks(gaps: Mapping[str, int], findings: Findings) -> None:
    """Say of which stories some blocks train and others test, with the gap between them, TRs."""
    for story, gap in gaps.items():
        what = f"training and test rows are of one story, {gap} TRs apart (time-blocked)"
        remedy = "nothing, if there is no other story; the r is of this story, not of new ones"
        findings.warn("blocks", story, what, remedy)
