"""Checks of the transcripts: every one is read, and its words must lie in the scan."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.errors import Findings, ProblemError, some
from pipeline.core.progress import track
from pipeline.dataset.grid import Grid
from pipeline.readers.formats import read_transcript
from pipeline.validation.records import Stimulus

MIN_COVERED = 0.2  # share of the scan from the first word to the last; below, it is a wrong clock
FEW_COVERED = 0.6  # below, it may be: times in TRs, half a TR, an aligner that stopped
MIN_WORDS = 10  # fewer have no span to speak of
_RESPONSES = "save the responses as (rows, voxels)"  # where rows are counted, voxels may be
MAX_OUTSIDE = 0.5  # share of a story's words outside the scan that no cut explains


def check_stories(
    stimuli: Sequence[Stimulus], options: Mapping[str, Any], findings: Findings
) -> dict[str, list[str]]:
    """Check every transcript, read with `options`, and that the words fit into the scan.

    What was understood of each story's clock is logged.

    Returns
    -------
    dict of str to list of str
        The words of the stories that can be read.
    """
    read: dict[str, list[str]] = {}
    for stimulus in track(stimuli, "transcripts"):
        try:
            words = read_transcript(stimulus.transcript, options, findings)
        except ProblemError as error:
            findings.problems += error.problems
        else:
            read[stimulus.name] = words["word"].tolist()
            if what := words.attrs.get("warning"):
                remedy = "nothing, if these are few; else align the story again"
                findings.warn(stimulus.transcript, "words", what, remedy)
            if stimulus.grid is not None:
                logging.info("%s: %s", stimulus.name, understood(words, stimulus.grid))
                _check_span(stimulus.transcript, words, stimulus.grid, findings)
    return read


def understood(words: pd.DataFrame, grid: Grid) -> str:
    """Where first and last word fall; rows count from 0, those below it and above are cut off."""
    onsets = words["onset"].to_numpy()
    first, last = grid.row_of(onsets[[0, -1]])
    starts = grid.kept.start * grid.tr - grid.sound_start
    return (
        f"first word at {onsets[0]:.2f} s of the sound = row {first}, last in row {last} of "
        f"{grid.n_rows}; row 0 begins at {starts:.2f} s"
    )


def _check_span(path: Path, words: pd.DataFrame, grid: Grid, findings: Findings) -> None:
    """Words and scan, both ways: most words outside, or most of the scan without, is a wrong clock.

    A few words outside are cut off; a scan may go on for a while after the last word.
    """
    begin, end = -grid.sound_start, grid.n_volumes * grid.tr - grid.sound_start
    early, late = words["word"][words["onset"] < begin], words["word"][words["onset"] >= end]
    n_outside = len(early) + len(late)
    if n_outside > MAX_OUTSIDE * len(words):
        first, last = words["onset"].iloc[0], words["onset"].iloc[-1]
        what = (
            f"{n_outside} of {len(words)} words are outside the scan: they begin from {first:g} "
            f"to {last:g} s, the scan lasts from {begin:g} to {end:g} s of the sound"
        )
        remedy = f"give times in seconds; correct `transcripts.start` or `timing`; {_RESPONSES}"
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
    if len(words) >= MIN_WORDS:
        _check_covered(path, words["onset"].to_numpy(), (begin, end), findings)


def _check_covered(
    path: Path, onsets: np.ndarray, scan: tuple[float, float], findings: Findings
) -> None:
    """How much of the scan (seconds of the sound) lies between the first word and the last."""
    (begin, end), (first, last) = scan, onsets[[0, -1]]
    covered = (min(last, end) - max(first, begin)) / (end - begin)
    what = (
        f"words from {first:g} to {last:g} s, the scan from {begin:g} to {end:g} s of the sound: "
        f"{covered:.0%} of it"
    )
    remedy = (
        f"give times in seconds; align the whole story; correct `timing.tr` (seconds); {_RESPONSES}"
    )
    if covered < MIN_COVERED:
        findings.problem(path, "words", what, remedy)
    elif covered < FEW_COVERED:
        findings.warn(path, "words", what, f"nothing, if nobody speaks in the rest; else {remedy}")


def check_shifts(n_rows: Mapping[str, int], min_shift: int) -> Findings:
    """Find test stories too short to be shifted as far as the tests of significance ask for."""
    findings = Findings()
    for story, n in n_rows.items():
        if n < 2 * min_shift:
            what = f"the test story {story} has {n} rows, too few to shift it so far"
            remedy = f"set it to {max(n // 4, 1)} or so, longer than your BOLD's memory"
            findings.problem("configuration", "statistics.min_shift", what, remedy)
    return findings
