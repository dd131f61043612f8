"""Write a configuration for transcripts and responses as they lie there, and validate it.

    python -m pipeline.new --transcripts words/ --responses 'bold/*/*.hf5' --out config/mine.yaml

Files are matched by their names; what they do not say is a guess, which the configuration marks.
Nothing is overwritten.
"""

from __future__ import annotations

import argparse
import csv
import glob
import io
import math
import os
import re
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pipeline.config.load import load
from pipeline.core.atomic import write_text
from pipeline.core.errors import Findings, Problem, ProblemError, some
from pipeline.dataset.runs import COLUMNS
from pipeline.new import choices, names
from pipeline.new.contents import (
    Responses,
    Words,
    check_ends,
    look_at_responses,
    look_at_words,
)
from pipeline.new.files import find, passed_over
from pipeline.new.page import Guesses, page
from pipeline.new.subjects import entity
from pipeline.readers.formats import RESPONSES, TRANSCRIPTS, is_on_surface, needs_mask, region_names
from pipeline.validation.validate import validate

MISSING = "n/a"
MOST_WARNINGS = 5
CLOCK = (
    "GUESS: the transcripts' clock starts with the first volume. If the sound starts later, say by "
    "how many seconds."
)
SAID_CLOCK = "As --sound-start says, seconds from the first volume to the start of the sound."
BIDS_CLOCK = "BIDS events are timed from the first volume."
_SPACE = re.compile(r"space-([A-Za-z0-9]+)")


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    options = _parser().parse_args(arguments)
    try:
        problems = write_configuration(options)
    except ProblemError as error:
        sys.exit(f"Nothing was written: {error}")
    if problems:
        files = f"{options.out} and {_runs_path(options.out)}"
        sys.exit(
            f"{problems}\nThe configuration is written. Mend the files and run `snakemake validate "
            f"--configfile {_quoted(options.out)}`, or remove {files} and run this again."
        )


def write_configuration(options: argparse.Namespace) -> ProblemError | None:
    """Look at the files, write the table of runs and the configuration, and validate them.

    Returns
    -------
    ProblemError or None
        What the validation says against it.

    Raises
    ------
    ProblemError
        If something cannot be told, or a file would be overwritten; nothing is then written.
    """
    table = _runs_path(options.out)
    there = [
        Problem(path, "--out", "there is such a file", "choose another name, or remove it")
        for path in (options.out, table)
        if os.path.lexists(path)
    ]
    if there:
        raise ProblemError(there)
    mask = _mask(options.mask)
    without = _files_of_mask(options.mask)
    transcripts = find(options.transcripts, TRANSCRIPTS, "--transcripts")
    without += [file.path for file in transcripts]
    responses = find(options.responses, RESPONSES, "--responses", without)
    matched = names.match(transcripts, responses)
    if matched.left_out:
        _check_none_passed_over(options.transcripts, matched.left_out)
    findings = Findings()
    given = {
        "tier": options.tier,
        "columns": dict(options.columns or ()),
        "where": dict(options.where or ()),
    }
    words = look_at_words(matched, given, findings)
    read = look_at_responses(matched, mask, words, options.tr, findings)
    if read is not None and read.tr_note and options.sound_start is None:
        check_ends(words, read, matched.root, findings)
    if findings.problems or read is None:
        raise ProblemError(findings.problems)
    text = page(_guesses(options, matched, words, read, mask))
    write_text(table, _table(matched, table.absolute().parent))
    write_text(options.out, text)
    _tell(options.out, table, text, matched)
    try:
        warnings = validate(load(options.out))
    except ProblemError as error:
        return error
    for warning in warnings[:MOST_WARNINGS]:
        print(f"warning: {warning}")
    if (n_more := len(warnings) - MOST_WARNINGS) > 0:
        print(f"and {n_more} more warnings, which `snakemake validate` lists")
    print(f"The validation passes. Next: snakemake --configfile {_quoted(options.out)}")
    return None


def _check_none_passed_over(transcripts: Sequence[str], left_out: Sequence[str]) -> None:
    """Raise if a file would be left out whose table of words is there, but not readable as one."""
    problems = [
        Problem(
            path,
            "--transcripts",
            f"is no table of words with their times, so that {left} would be left out",
            "mend it, or move both elsewhere",
        )
        for path in passed_over(transcripts)
        for left in left_out
        if re.search(rf"(^|[\W_]){re.escape(path.stem)}($|[\W_])", Path(left).stem)
    ]
    if problems:
        raise ProblemError(problems)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.new",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    several: dict[str, Any] = {"nargs": "+", "action": "extend"}
    where = "a folder, or paths with wildcards and {subject}, {story}, {session}, {run}"
    add("--transcripts", **several, required=True, metavar="PATTERN", help=where)
    add("--responses", **several, required=True, metavar="PATTERN", help="likewise")
    add("--mask", help="of NIfTI runs, or of the columns of HDF5; {subject} for one a subject")
    add("--tr", type=_seconds, help="repetition time in seconds, if the files do not say it")
    sound = "seconds from the first volume in the files to the start of the sound"
    add("--sound-start", type=_finite, help=sound)
    add("--tier", help="the tier of words in TextGrids")
    role = "columns of word tables, as word=Wort onset=Beginn offset=Ende (or duration=...)"
    add("--columns", **several, type=_pair, metavar="ROLE=NAME", help=role)
    rows = "rows of word tables that are words, as trial_type=word"
    add("--where", **several, type=_pair, metavar="COLUMN=VALUE", help=rows)
    add("--test", **several, default=[], metavar="STORY", help="test stories; else they are drawn")
    add("--seed", type=int, default=0, help="of that draw (0)")
    out = "the configuration (config/mine.yaml); its table of runs lies beside it"
    add("--out", type=Path, default=Path("config/mine.yaml"), help=out)
    return parser


def _pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not (key and sign and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds")
    return number


def _seconds(text: str) -> float:
    if (number := _finite(text)) <= 0:
        raise argparse.ArgumentTypeError(f"{text} s is no repetition time")
    return number


def _quoted(path: Path) -> str:
    """A path as a shell takes it."""
    return shlex.quote(str(path))


def _runs_path(out: Path) -> Path:
    return out.with_name(f"{out.stem}_runs.tsv")


def _mask(path: str | None) -> dict[str, Any] | None:
    """`mask` of the configuration."""
    if path is None:
        return None
    space = match[1] if (match := _SPACE.search(Path(path).name)) else ""
    return {"path": path, "order": "xyz", "space": "MNI" if space.startswith("MNI") else "native"}


def _guesses(
    options: argparse.Namespace,
    matched: names.Matched,
    words: Words,
    read: Responses,
    mask: dict[str, Any] | None,
) -> Guesses:
    """All that the page is written from."""
    in_rows = choices.in_rows(read.tr)
    delay = max(in_rows["delays"])
    kept = {key: n - delay for key, n in read.n_rows.items()}
    if unknown := [story for story in options.test if story not in matched.stories]:
        what = f"there is no story {some(map(repr, unknown))}"
        remedy = f"use one of {some(matched.stories, 20)}"
        raise ProblemError(Problem("command line", "--test", what, remedy))
    if len(set(options.test)) == len(matched.stories):
        what = "these are all stories: none is left to train on"
        raise ProblemError(Problem("command line", "--test", what, "leave some out"))
    given = list(dict.fromkeys(options.test))
    split = choices.split(matched.stories, kept, delay, options.seed, given)
    whole = {n for (_, story), n in kept.items() if story in split.test}
    n_tests = [n // choices.N_BLOCKS for n in kept.values()] if not whole else list(whole)
    first = matched.recordings[0].file.path
    said = (
        f"Found: {_counted(matched.subjects, 'subject')}, {_counted(matched.stories, 'story')}, "
        f"{_counted(matched.recordings, 'run')} of {read.n_columns} {_columns(first)}."
    )
    return Guesses(
        name=re.sub(r"[^A-Za-z0-9_.-]", "_", options.out.stem).lstrip("."),
        data_root=str(matched.root),
        runs=str(_runs_path(options.out)),
        said=said,
        matching=matched.notes,
        words=words.notes,
        responses=read.notes,
        left_out=matched.left_out,
        transcripts=words.options,
        response_options={**read.options, "volumes": None, "trimmed": False, "zscore": True},
        mask=mask,
        mask_note=_mask_note(first),
        tr=read.tr,
        tr_note=read.tr_note,
        is_guess=read.is_guess,
        clock_note=_clock_note(options, words),
        sound_start=options.sound_start or 0,
        in_rows=in_rows,
        split=split,
        min_shift=choices.min_shift(n_tests),
        n_columns=read.n_columns,
    )


def _files_of_mask(path: str | None) -> list[Path]:
    """The masks of all subjects, which are no responses."""
    return [Path(name) for name in glob.glob((path or "").replace("{subject}", "*"))]


def _clock_note(options: argparse.Namespace, words: Words) -> str:
    """Where the time between volumes and sound is from."""
    if options.sound_start is not None:
        return SAID_CLOCK
    return BIDS_CLOCK if words.are_events else CLOCK


def _mask_note(first: Path) -> str:
    """What of a mask is a guess."""
    notes = ["the mask's space, by its name (MNI gets maps of the standard brain, native slices)"]
    if not needs_mask(first):
        notes.append(
            "and the order of the columns in the mask, which files do not say: xyz as in nilearn, "
            "zyx as in pycortex; the wrong one puts values into wrong places"
        )
    return ", ".join(notes)


def _columns(path: Path) -> str:
    if region_names(path, {}) is not None:
        return "regions"
    return "vertices" if is_on_surface(path) else "voxels"


def _counted(items: Iterable[object], noun: str) -> str:
    n = len(list(items))
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{n} {noun if n == 1 else plural}"


def _table(matched: names.Matched, folder: Path) -> str:
    """The table of runs; stories that a subject has no responses to are gaps."""
    heard = {(one.subject, one.story): one.file for one in matched.recordings}
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, MISSING, delimiter="\t", lineterminator="\n")
    writer.writeheader()
    for subject in matched.subjects:
        for story in matched.stories:
            row = {"subject": subject, "story": story}
            if file := heard.get((subject, story)):
                row["responses"] = _cell(file.path, folder)
                row |= {k: v for k in ("session", "run") if (v := entity(file, k))}
                own = matched.transcripts.get((story, subject))
                common = matched.transcripts.get((story, ""))
                key, words = ("events", own) if own else ("transcript", common)
                if words:
                    row[key] = _cell(words.path, folder)
            writer.writerow(row)
    return out.getvalue()


def _cell(path: Path, folder: Path) -> str:
    """A path as the table names it: below its folder, without wildcards."""
    return glob.escape(Path(os.path.relpath(path.absolute(), folder)).as_posix())


def _tell(out: Path, table: Path, text: str, matched: names.Matched) -> None:
    """Say what was written, and what was left out or is missing."""
    heard = {(one.subject, one.story) for one in matched.recordings}
    for subject in matched.subjects:
        if missing := [s for s in matched.stories if (subject, s) not in heard]:
            print(f"gap: {subject} has no responses to {some(missing, 10)}")
    for path in matched.left_out:
        print(f"left out: {path} belongs to no other file")
    print(f"{table}: {_counted(heard, 'run')} of {_counted(matched.subjects, 'subject')}")
    print(f"{out}: {text.count('GUESS:')} guesses, each with a comment. Look at them.")
