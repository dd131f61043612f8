"""Whose a file is: as its name says it, or by what differs in the names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pipeline.core.errors import Problem, ProblemError, some
from pipeline.new.files import Found
from pipeline.new.parts import PART, Parts, parts_of, starts

BRACES = (
    "say it with braces in the pattern, as in 'data/{subject}/{story}.csv', or write a table of "
    "runs (docs/data.md)"
)
ENTITIES = {"sub": "subject", "ses": "session", "run": "run"}
_ENTITY = re.compile(r"(?:^|[/_])(sub|ses|run)-([A-Za-z0-9]+)(?=[/_.]|$)")
_RUNS = {"ses", "sess", "session", "run", "scan", "visit"}  # words before the number of a run
_PERSON = re.compile(r"(?:sub|subj|subject|s|p|pp|participant|uts)[-_]?\d+", re.IGNORECASE)


def entity(file: Found, key: str) -> str | None:
    """Subject, session or run, as braces or BIDS names say it."""
    if key in file.said:
        return _label(file.said[key]) or None
    told = {ENTITIES[name]: label for name, label in _ENTITY.findall(str(file.path))}
    return told.get(key)


def subjects_of(
    files: Sequence[Found], heard: Mapping[Path, dict[Parts, str]], notes: list[str]
) -> dict[Path, str]:
    """Subject of each file of responses: as it is said, or by what differs in the names."""
    told = {file.path: file.said.get("subject") or entity(file, "subject") for file in files}
    if all(told.values()):
        called = {path: str(subject) for path, subject in told.items()}
    else:
        called = _by_differences(files, heard, notes)
    found = {path: _label(name) for path, name in called.items()}
    if nameless := next((path for path, subject in found.items() if not subject), None):
        what = (
            "the subject's name has no letter of ASCII and no digit, which BIDS names are made of"
        )
        raise ProblemError(Problem(str(nameless), "--responses", what, "rename its files"))
    spelt: dict[Parts, set[str]] = {}
    for path, subject in found.items():
        spelt.setdefault(parts_of(subject), set()).add(called[path].removeprefix("sub-"))
    problems = [
        Problem(
            next(path for path, name in called.items() if name.removeprefix("sub-") in names),
            "--responses",
            f"{' and '.join(sorted(names))}: one subject or two?",
            "rename the files so that a subject has one name",
        )
        for names in spelt.values()
        if len(names) > 1
    ]
    if problems:
        raise ProblemError(problems)
    return found


def _by_differences(
    files: Sequence[Found], heard: Mapping[Path, dict[Parts, str]], notes: list[str]
) -> dict[Path, str]:
    """The part of the names that is neither their story, nor a session or run, and differs.

    It is as it stands there.
    """
    chunks = {file.path: _chunks(file, next(iter(heard[file.path]))) for file in files}
    lengths = {len(own) for own in chunks.values()}
    first = files[0].path
    if len(lengths) > 1:
        odd = next(path for path, own in chunks.items() if len(own) != len(chunks[first]))
        what = f"the names are not built alike: {chunks[first]} here, {chunks[odd]} in {odd}"
        raise ProblemError(Problem(first, "--responses", f"whose is it? {what}", BRACES))
    columns: dict[tuple[int, ...], tuple[str, ...]] = {}
    for i, column in enumerate(zip(*chunks.values(), strict=True)):
        before = [own[i - 1] if i else "" for own in chunks.values()]
        if len(set(column)) > 1 and not _is_session(column, before):
            columns.setdefault(_grouping(column), column)
    if not columns:
        subject = next(filter(_PERSON.fullmatch, reversed(first.parts[:-1])), "S1")
        subject = _label(subject)
        notes.append(f"names differ by story only: all are taken to be of one subject, {subject}")
        return dict.fromkeys(chunks, subject)
    if len(columns) > 1:
        seen = "; or ".join(some(dict.fromkeys(column)) for column in columns.values())
        what = f"subjects may be {seen}"
        raise ProblemError(Problem(first, "--responses", what, BRACES))
    (column,) = columns.values()
    notes.append(f"subjects by what differs in the names: {some(dict.fromkeys(column), 10)}")
    return dict(zip(chunks, column, strict=True))


def _label(name: str) -> str:
    """A name as a label of BIDS: letters of ASCII and digits."""
    return re.sub(r"[^A-Za-z0-9]", "", name.removeprefix("sub-"))


def _chunks(file: Found, story: Parts) -> list[str]:
    """What is left of a name without its story, between whatever is no letter or digit."""
    text = file.inner
    found = list(PART.finditer(text))
    for i in reversed(starts(story, parts_of(text)) if story else []):
        span = found[i : i + len(story)]
        text = f"{text[: span[0].start()]}\0{text[span[-1].end() :]}"
    return [chunk for chunk in re.split(r"[\W_]+", text) if chunk]


def _is_session(column: Iterable[str], before: Iterable[str]) -> bool:
    """Whether parts of names are sessions or runs, by themselves or by the word before them."""
    words = {re.sub(r"\d+", "", name).casefold() for name in column}
    named = {name.casefold() for name in before}
    return words <= _RUNS or (words == {""} and named <= _RUNS)


def _grouping(column: Sequence[str]) -> tuple[int, ...]:
    """Which files have the same name in a column: equal for columns that say the same."""
    numbers: dict[str, int] = {}
    return tuple(numbers.setdefault(name, len(numbers)) for name in column)
