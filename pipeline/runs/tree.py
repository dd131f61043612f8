"""The runs of a task in a BIDS tree, as rows of a table of runs; what is missing stays visible."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from nilearn.interfaces.bids import get_bids_files, parse_bids_filename

from pipeline.core.errors import Findings, Problem, ProblemError, some
from pipeline.dataset.runs import COLUMNS
from pipeline.readers.hemispheres import as_pair

FORMS = {  # what the name of responses ends in
    "volume": (".nii.gz", ".nii"),
    "surface": (".func.gii",),
    "cifti": (".dtseries.nii",),
}
OF_RUN = ("sub", "ses", "task", "acq", "ce", "dir", "rec", "run")  # what names have of a recording
STORY = "{task}_run-{run}"
MISSING = "n/a"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which files of a tree are the responses, and how stories are called.

    Parameters
    ----------
    bids : Path
        Root of the dataset.
    derivatives : Path
        Folder of the preprocessed data, which holds `sub-*`.
    task : str
        The task, or several with commas.
    form : {"volume", "surface", "cifti"}
        Which form of the responses.
    space : str or None
        Space in the names; None where there is one only.
    story : str
        Name of a run's story, with {task}, {run}, {session} and {order}: which run of the subject's
        it is, from 1.
    transcript : str or None
        Path of a story's transcript under `bids`, with the same and {story}.
    """

    bids: Path
    derivatives: Path
    task: str
    form: str = "volume"
    space: str | None = None
    story: str = STORY
    transcript: str | None = None


def run_table(wanted: Wanted, folder: Path, findings: Findings) -> pd.DataFrame:
    """The table of the runs of all subjects.

    Parameters
    ----------
    wanted : Wanted
        Which.
    folder : Path
        Where the table will lie: paths are relative to it.
    findings : Findings
        Where gaps and doubts are noted, as warnings.

    Returns
    -------
    DataFrame of strings
        `pipeline.dataset.runs.COLUMNS`; a row for each subject and story, without responses where a
        subject has none. Of subjects of whom it cannot be told which run is which story the stories
        are missing.

    Raises
    ------
    ProblemError
        If there are no such runs, or they are in several spaces and none is asked for.
    """
    found = _runs(wanted)
    found_rows = list(_rows(wanted, found, folder, findings))
    rows = pd.DataFrame(found_rows, columns=list(COLUMNS), dtype=object)
    _note_missing(wanted, rows, folder, findings)
    return rows.fillna(MISSING)


def _runs(wanted: Wanted) -> list[tuple[Path, Mapping[str, str]]]:
    """Responses with the parts of their names, by subject, session, task and run."""
    files = get_bids_files(wanted.derivatives, file_tag="bold", modality_folder="func")
    files += get_bids_files(wanted.derivatives, file_tag="bold", modality_folder="")
    endings = FORMS[wanted.form]
    other = FORMS["cifti"] if wanted.form == "volume" else ()  # which end in .nii as well
    found = []
    for file in as_pair(sorted({Path(f) for f in files})):
        if not file.name.endswith(endings) or file.name.endswith(other):
            continue
        entities = parse_bids_filename(str(file))["entities"]
        if entities.get("task") in wanted.task.split(","):
            found.append((file, entities))
    if not found:
        what = f"no run of the task {wanted.task} ends in _bold{endings[0]}"
        remedy = "correct --task, --form or --derivatives (the folder that holds sub-*)"
        raise ProblemError(Problem(wanted.derivatives, "", what, remedy))
    spaces = Counter(entities.get("space", "") for _, entities in found)
    if wanted.space is None and len(spaces) > 1:
        what = f"the runs are in {len(spaces)} spaces: {some(map(repr, sorted(spaces)), 20)}"
        raise ProblemError(Problem(wanted.derivatives, "", what, "choose one with --space"))
    chosen = [f for f in found if wanted.space is None or f[1].get("space", "") == wanted.space]
    if not chosen:
        what = f"no run is in the space {wanted.space}; there are {some(sorted(spaces), 20)}"
        raise ProblemError(Problem(wanted.derivatives, "", what, "correct --space"))
    _check_versions(chosen)
    return sorted(chosen, key=lambda f: (f[1]["sub"], _place(f[1])))


def _check_versions(found: Sequence[tuple[Path, Mapping[str, str]]]) -> None:
    """Raise where several files are of one run: which is meant, nobody says."""
    first: dict[tuple[str | None, ...], Path] = {}
    for file, entities in found:
        run = tuple(entities.get(key) for key in OF_RUN)
        if (other := first.setdefault(run, file)) != file:
            what = f"two files for one run: {other.name} is another"
            remedy = "move one version out of the folder, or write the table by hand"
            raise ProblemError(Problem(file, "", what, remedy))


def _place(entities: Mapping[str, str]) -> tuple[str, str, int, str]:
    """Where a run stands among those of its subject: run 10 comes after run 9."""
    run = entities.get("run", "")
    number = int(run) if run.isdecimal() else 0
    return entities.get("ses", ""), entities.get("task", ""), number, run


def _rows(
    wanted: Wanted,
    found: Sequence[tuple[Path, Mapping[str, str]]],
    folder: Path,
    findings: Findings,
) -> Iterator[dict[str, str]]:
    """Rows of all subjects, gaps among them."""
    by_subject: dict[str, list[tuple[Path, Mapping[str, str]]]] = {}
    for file, entities in found:
        by_subject.setdefault(entities["sub"], []).append((file, entities))
    usual = Counter(map(len, by_subject.values())).most_common(1)[0][0]
    ordered = "{order}" in wanted.story
    rows: dict[str, list[dict[str, str]]] = {}
    for subject, runs in by_subject.items():
        rows[subject] = [
            _row(wanted, file, entities, order, folder)
            for order, (file, entities) in enumerate(runs, start=1)
        ]
        if ordered and len(runs) != usual:
            what = f"{subject} has {len(runs)} runs, most have {usual}: which is which story?"
            findings.warn(folder, f"sub-{subject}", what, "write the stories into its rows")
            rows[subject] = [
                {key: cell for key, cell in row.items() if key not in ("story", "transcript")}
                for row in rows[subject]
            ]
    stories = {row["story"]: row for own in rows.values() for row in own if "story" in row}
    for subject, own in rows.items():
        yield from own
        known = {row.get("story") for row in own}
        if None in known:
            continue
        gaps = [row for story, row in stories.items() if story not in known]
        yield from ({"subject": subject, "story": row["story"]} for row in gaps)


def _row(
    wanted: Wanted, file: Path, entities: Mapping[str, str], order: int, folder: Path
) -> dict[str, str]:
    """The row of one run; files beside it only where they are there."""
    names = {"task": entities["task"], "order": str(order)}
    names |= {"run": entities.get("run", "1"), "session": entities.get("ses", "")}
    story = names["task"] if wanted.story == STORY and "run" not in entities else None
    story = story or _named("--story", wanted.story, names)
    beside = {
        "confounds": _beside(file.parent, entities, "desc-confounds_timeseries.tsv"),
        "events": _beside(
            wanted.bids / file.parent.relative_to(wanted.derivatives), entities, "events.tsv"
        ),
    }
    if wanted.transcript:
        names["story"] = story
        path = wanted.bids / _named("--transcript", wanted.transcript, names)
        beside["transcript"] = path if os.path.lexists(path) else None
    row = {"subject": entities["sub"], "story": story, "responses": _relative(file, folder)}
    row |= {
        key: entities[name]
        for key, name in (("session", "ses"), ("run", "run"))
        if name in entities
    }
    return row | {key: _relative(path, folder) for key, path in beside.items() if path}


def _named(option: str, pattern: str, names: Mapping[str, str]) -> str:
    """A pattern with the names of a run in it."""
    try:
        return pattern.format(**names)
    except (LookupError, ValueError) as error:
        what = f"{pattern!r} has other names in braces ({error})"
        remedy = f"use {', '.join(f'{{{name}}}' for name in names)}"
        raise ProblemError(Problem(option, "", what, remedy)) from error


def _beside(folder: Path, entities: Mapping[str, str], ending: str) -> Path | None:
    """A file of the same run; it has none of what tells versions of the responses apart."""
    stem = "_".join(f"{key}-{entities[key]}" for key in OF_RUN if key in entities)
    path = folder / f"{stem}_{ending}"
    return path if os.path.lexists(path) else None


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()


def _note_missing(wanted: Wanted, rows: pd.DataFrame, folder: Path, findings: Findings) -> None:
    """Say who has no run, which stories a subject has no responses to, which runs have no words."""
    folders = sorted(path.name for path in wanted.derivatives.glob("sub-*") if path.is_dir())
    without = [name for name in folders if name.removeprefix("sub-") not in set(rows["subject"])]
    if without:
        what = f"{len(without)} of {len(folders)} subjects have no such run: {some(without)}"
        remedy = "nothing, if they did not do the task"
        findings.warn(wanted.derivatives, f"task {wanted.task}", what, remedy)
    gaps = rows[rows["responses"].isna()]
    for subject, own in gaps.groupby("subject", sort=False):
        what = f"no responses to {some(own['story'], 20)}"
        findings.warn(folder, f"sub-{subject}", what, "nothing, if these were not heard")
    runs = rows[rows["responses"].notna() & rows["transcript"].isna() & rows["events"].isna()]
    if len(runs):
        what = f"{len(runs)} runs have neither transcript nor events: {some(runs['responses'])}"
        remedy = "name the transcripts with --transcript, or write them into the table"
        findings.warn(folder, "transcript", what, remedy)
