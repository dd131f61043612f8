"""What is in the files: columns of words, where they end, rows, and the repetition time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import theilslopes

from pipeline.core.errors import Findings, Problem, ProblemError, some
from pipeline.dataset.dataset import VOLUMES
from pipeline.new.files import Found
from pipeline.new.names import Matched
from pipeline.readers.delimited import read_delimited
from pipeline.readers.formats import (
    RESPONSES,
    needs_mask,
    read_transcript,
    region_names,
    shape_of,
    stated_tr,
    suffix,
)
from pipeline.readers.sidecar import LONGEST_TR, TR_TOLERANCE
from pipeline.readers.table import clocks_of
from pipeline.voxels.volume import Mask

COLUMNS = {  # what people call them, beside the names themselves
    "word": ("words", "token", "text", "value", "label", "transcription", "orthography"),
    "onset": ("start", "begin", "start_time", "starttime", "xmin", "tmin", "from", "time"),
    "offset": ("end", "stop", "end_time", "endtime", "xmax", "tmax", "to"),
    "duration": ("dur", "length"),
}
KINDS = ("trial_type", "type", "event_type", "kind")  # columns that tell words from other events
USUAL_TR = (0.5, 0.72, 0.8, 1.0, 1.25, 1.3, 1.4, 1.5, 1.6, 1.8, 2.0, 2.2, 2.4, 2.5, 3.0)
NEAR = 0.02  # relative; what rows against length give is a usual repetition time if it is so near
APART = 0.2  # stories' lengths must differ by this share of the longest to tell seconds a row


@dataclass(frozen=True, kw_only=True)
class Words:
    """Transcripts as they are to be read.

    Parameters
    ----------
    options : dict
        `transcripts` of the configuration.
    notes : list of str
        What was taken for granted.
    ends : dict of str to float
        Where the last word of each story begins, seconds.
    are_events : bool
        Whether they are BIDS events.
    """

    options: dict[str, Any]
    notes: list[str]
    ends: dict[str, float]
    are_events: bool = False


@dataclass(frozen=True, kw_only=True)
class Responses:
    """Responses as they are to be read.

    Parameters
    ----------
    options : dict
        `responses` of the configuration.
    notes : list of str
        What was taken for granted.
    n_rows : dict of (str, str) to int
        Rows by subject and story.
    n_columns : int
        Voxels, vertices or regions, the fewest of a subject.
    tr : float
        Repetition time, seconds.
    tr_note : str
        Where that is from; empty where nothing tells it, which is a problem.
    is_guess : bool
        Whether nothing states it.
    """

    options: dict[str, Any]
    notes: list[str]
    n_rows: dict[tuple[str, str], int]
    n_columns: int
    tr: float
    tr_note: str
    is_guess: bool


def look_at_words(matched: Matched, given: Mapping[str, Any], findings: Findings) -> Words:
    """Read the transcript of every story; what is wrong with any is noted.

    Parameters
    ----------
    matched : Matched
        Which transcripts.
    given : mapping
        `tier`, `columns` and `where`, as far as the user says them.
    findings : Findings
        Where problems are noted.
    """
    files: dict[str, Found] = {}
    for (story, _), file in matched.transcripts.items():
        if story in matched.stories:
            files.setdefault(story, file)
    options = {key: value for key, value in given.items() if value}
    notes: list[str] = []
    first = next(iter(files.values())).path
    if suffix(first, {".csv": 0, ".tsv": 0}):
        try:
            options |= _of_table(first, options, notes)
        except ProblemError as error:
            findings.problems += error.problems
            return Words(options=options, notes=notes, ends={})
    ends, heard = {}, Findings()
    for story, file in files.items():
        try:
            words = read_transcript(file.path, options, heard)
        except ProblemError as error:
            findings.problems += error.problems
        else:
            ends[story] = float(words["onset"].iloc[-1])
    told = Counter(warning.what for warning in heard.warnings)
    notes += [f"{what} (in {n} of {len(files)} files)" for what, n in told.items()]
    are_events = first.name.endswith("_events.tsv")
    return Words(options=options, notes=notes, ends=ends, are_events=are_events)


def look_at_responses(
    matched: Matched,
    mask: Mapping[str, Any] | None,
    words: Words,
    tr: float | None,
    findings: Findings,
) -> Responses | None:
    """Rows and columns of every file, and the repetition time; None where a file cannot be read.

    Parameters
    ----------
    matched : Matched
        Which files.
    mask : mapping or None
        `mask` of the configuration.
    words : Words
        Of the stories.
    tr : float or None
        Seconds, if the user says them.
    findings : Findings
        Where problems are noted.
    """
    first, notes = matched.recordings[0].file.path, []
    if needs_mask(first) and mask is None:
        near = sorted(map(str, matched.root.rglob("*mask*.nii*")))
        remedy = "give --mask" + (f" (there is {some(near)})" if near else "")
        what = "voxels of images are taken out by a mask, and none is given"
        findings.problem(first, "--mask", what, remedy)
        return None
    n_problems = len(findings.problems)
    options: dict[str, Any] = {}
    clocks: dict[str, float] = {}
    try:
        if clocks := _clocks(first):
            options["columns"] = [
                name for name in region_names(first, {}) or () if name not in clocks
            ]
            notes.append(f"{some(clocks)} counts the rows or gives their times: no region")
    except ProblemError as error:
        findings.problems += error.problems
    shapes: dict[tuple[str, str], tuple[int, int]] = {}
    stated: dict[Path, float] = {}
    more: set[str] = set()
    for one in matched.recordings:
        path = one.file.path
        try:
            own = Mask.from_config(dict(mask), one.subject) if mask and needs_mask(path) else None
            shapes[one.subject, one.story] = shape_of(path, {**options, "mask": own})
            if clocks:
                more |= set(region_names(path, {}) or ()) - set(options["columns"]) - set(clocks)
            if told := stated_tr(path):
                stated[path] = told
        except ProblemError as error:
            findings.problems += [p for p in error.problems if p not in findings.problems]
    if len(findings.problems) > n_problems:
        return None
    if more:
        notes.append(f"{some(sorted(more))} is not in {first.name}, and left out of all files")
    n_rows = {key: shape[0] for key, shape in shapes.items()}
    seconds, note, is_guess = _repetition_time(
        first, stated, n_rows, words.ends, tr, findings, clocks
    )
    return Responses(
        options=options,
        notes=notes,
        n_rows=n_rows,
        n_columns=min(n for _, n in shapes.values()),
        tr=seconds,
        tr_note=note,
        is_guess=is_guess,
    )


def check_ends(words: Words, read: Responses, root: Path, findings: Findings) -> None:
    """Note a problem if words of most stories begin after the last row: when does the sound start?

    Volumes that were cut from the start of the files while the sound played are the likely reason,
    and then all words would be too late by these.

    Parameters
    ----------
    words, read
        What was found.
    root : Path
        Folder of the data.
    findings : Findings
        Where the problem is noted.
    """
    rows = {story: n for (_, story), n in read.n_rows.items() if story in words.ends}
    late = {story: words.ends[story] - n * read.tr for story, n in rows.items()}
    n_late = sum(seconds > read.tr for seconds in late.values())
    if 2 * n_late <= len(late):
        return
    most = max(late, key=lambda story: late[story])
    what = (
        f"words of {n_late} of {len(late)} stories begin after the last row, by up to "
        f"{late[most]:.0f} s ({most}): the files may begin while the sound plays"
    )
    remedy = (
        "say when the sound starts, in seconds after the first volume in the files (negative if it "
        "played before): --sound-start 0, if the scans only ended early"
    )
    name = Path(VOLUMES).name
    if any((folder / name).is_file() for folder in (root, root / Path(VOLUMES).parent)):
        remedy += f"; or take config/lebel.yaml: with its {name} this is ds003020's layout"
    findings.problem(root, "--sound-start", what, remedy)


def _clocks(path: Path) -> dict[str, float]:
    """Columns of a table that are clocks, and their steps; none of other formats."""
    is_table = "columns" in RESPONSES[suffix(path, RESPONSES)].options
    return clocks_of(path) if is_table else {}


def _of_table(path: Path, given: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """The columns that hold words and times, and the rows that are words."""
    table = read_delimited(path, given.get("encoding"))
    columns, problems = dict(given.get("columns", {})), []
    for role, others in COLUMNS.items():
        if role in columns or role in table:
            continue
        there = [name for name in map(str, table) if name.strip().casefold() in (role, *others)]
        if len(there) > 1:
            what = f"{role} may be the column {' or '.join(map(repr, there))}"
            remedy = f"say which: --columns {role}={there[0]}"
            problems.append(Problem(path, "line 1", what, remedy))
        elif there:
            columns[role] = there[0]
            notes.append(f"{role} is the column {there[0]!r}")
        elif role in ("word", "onset"):
            what = f"no column is called {role}; there are {some(map(repr, table), 10)}"
            problems.append(Problem(path, "line 1", what, f"say which: --columns {role}=NAME"))
    if not {"offset", "duration"} & ({*columns} | {*table}):
        notes.append("no column says when words end, so they take no time")
    where = dict(given.get("where", {}))
    kind = next((name for name in KINDS if name in table and not where), None)
    if kind is not None:
        counts = table[kind].value_counts()
        words = [value for value in counts.index if value.casefold() in ("word", "words")]
        if len(words) == 1 and len(counts) > 1:
            where = {kind: words[0]}
            notes.append(f"words are the rows with {words[0]!r} in {kind!r}")
        elif len(counts) > 1:
            each = some(f"{value!r} ({n} rows)" for value, n in counts.items())
            what = f"the rows are of several kinds: {each}"
            remedy = f"say which are words: --where {kind}={counts.index[0]}"
            problems.append(Problem(path, f"column {kind!r}", what, remedy))
    if problems:
        raise ProblemError(problems)
    return {key: value for key, value in (("columns", columns), ("where", where)) if value}


def _repetition_time(
    path: Path,
    stated: Mapping[Path, float],
    n_rows: Mapping[tuple[str, str], int],
    ends: Mapping[str, float],
    given: float | None,
    findings: Findings,
    clocks: Mapping[str, float],
) -> tuple[float, str, bool]:
    """Seconds from row to row, where they are from, and whether they are a guess."""
    if given:
        for file, tr in stated.items():
            if abs(tr - given) > TR_TOLERANCE * given:
                what = f"the header or sidecar says {tr:g} s, --tr {given:g} s"
                remedy = "leave --tr out, or correct the file if that is wrong"
                findings.problem(file, "repetition time", what, remedy)
        if not 0 < given <= LONGEST_TR:
            what = f"{given:g} s is no repetition time"
            findings.problem("command line", "--tr", what, "give seconds, not milliseconds")
        return given, "as --tr says", False
    if stated:
        usual = Counter(round(tr, 4) for tr in stated.values()).most_common(1)[0][0]
        for file, tr in stated.items():
            if abs(tr - usual) > TR_TOLERANCE * usual:
                what = f"the repetition time is {tr:g} s, in most files {usual:g} s"
                remedy = "leave the run out, or correct its header or sidecar"
                findings.problem(file, "repetition time", what, remedy)
        return (
            usual,
            f"as the headers or sidecars of {len(stated)} of {len(n_rows)} files say",
            False,
        )
    rows = {story: n for (_, story), n in n_rows.items() if story in ends}
    seconds = seconds_per_row([ends[story] for story in rows], list(rows.values()))
    near = min(USUAL_TR, key=lambda tr: abs(tr - seconds)) if seconds else 0.0
    for name, step in clocks.items():
        if step != 1 and min(abs(step / tr - 1) for tr in USUAL_TR) <= NEAR:
            return step, f"no header says it: the column {name!r} rises by {step:g} a row", True
    if not rows:
        return 2.0, "", True  # no word could be read, which is told
    if not seconds or abs(near - seconds) > NEAR * near:
        said = some(f"{story}: {rows[story]} rows, {ends[story]:.0f} s of words" for story in rows)
        what = f"nothing says the repetition time, and rows against words leave it open ({said})"
        findings.problem(path, "--tr", what, "give --tr SECONDS; see that words and rows fit")
        return near or 2.0, "", True
    note = f"nothing states it: rows against the stories' lengths give {seconds:.3g} s a row"
    return near, note, True


def seconds_per_row(ends: Sequence[float], rows: Sequence[int]) -> float:
    """Seconds from row to row, by the lengths of stories and the rows of their responses.

    Where there are three stories or more whose lengths differ, the slope of lengths over rows
    (Theil-Sen, which a story that does not fit leaves alone): volumes before and after all stories
    do not count. Else their ratio.

    Parameters
    ----------
    ends : sequence of float
        Where the last words begin, seconds.
    rows : sequence of int
        Rows of the responses to the same stories.

    Returns
    -------
    float
        0 where nothing is known.
    """
    if not len(rows):
        return 0.0
    if len(set(rows)) > 2 and np.ptp(rows) > APART * max(rows):
        return float(theilslopes(ends, rows).slope)
    return float(np.median(np.divide(ends, rows)))
