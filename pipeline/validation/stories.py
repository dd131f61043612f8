"""Checks of the transcripts: every one is read, and its words must lie in the scan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.core.errors import InputError
from pipeline.core.findings import Findings, some
from pipeline.core.progress import track
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.grid import Grid

MAX_OUTSIDE = 0.5  # share of a story's words outside the scan that no cut explains


def check_stories(
    dataset: Dataset, stories: list[str], grids: dict[str, Grid], findings: Findings
) -> None:
    """Check every transcript, and that the words fit into the scan."""
    for story in track(stories, "transcripts"):
        path = dataset.transcript(story)
        try:
            words = dataset.read_words(story)
        except InputError as error:
            findings.problems += error.problems
        else:
            if story in grids:
                _check_span(path, words, grids[story], findings)


def _check_span(path: Path, words: pd.DataFrame, grid: Grid, findings: Findings) -> None:
    """Words outside the scan: a few are cut off, but most of them outside are a wrong clock."""
    begin, end = -grid.sound_start, grid.n_volumes * grid.tr - grid.sound_start
    early, late = words["word"][words["onset"] < begin], words["word"][words["onset"] >= end]
    n_outside = len(early) + len(late)
    if n_outside > MAX_OUTSIDE * len(words):
        first, last = words["onset"].iloc[0], words["onset"].iloc[-1]
        what = (
            f"{n_outside} of {len(words)} words are outside the scan: they begin from {first:g} "
            f"to {last:g} s, the scan lasts from {begin:g} to {end:g} s of the sound"
        )
        remedy = "give times in seconds; correct `transcripts.start` or `timing`"
        findings.problem(path, "words", what, remedy)
        return
    for outside, place in (
        (early, f"before the scan's start at {begin:g} s"),
        (late, f"after the scan's end at {end:g} s"),
    ):
        if len(outside):
            what = f"{len(outside)} of {len(words)} words begin {place}"
            remedy = "nothing, if the scan was cut short; else check the volume counts and `timing`"
            findings.warn(path, f"words {some(outside)}", what, remedy)


def check_shifts(config: dict[str, Any], rows: Mapping[str, int]) -> Findings:
    """Find test stories too short to be shifted as far as the tests of significance ask for."""
    findings, options = Findings(), config["statistics"]
    for story in config["stories"]["test"] if options["scheme"] == "shift" else ():
        n_rows = rows.get(story)
        if n_rows is not None and n_rows < 2 * options["min_shift"]:
            what = f"the test story {story} has {n_rows} rows, too few to shift it so far"
            remedy = f"set it to {max(n_rows // 4, 1)} or so, longer than your BOLD's memory"
            findings.problem("configuration", "statistics.min_shift", what, remedy)
    return findings
