"""Whose responses to which story a file holds, as far as names tell.

Names are compared by their words and numbers: case, leading zeros and what separates them do not
count (`Story_1` is `story01`). Where they tell two things, or nothing, that is an error which lists
the files; braces in the pattern (`{subject}`, `{story}`) then say it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.core.errors import Problem, ProblemError, some
from pipeline.new.files import Found
from pipeline.new.parts import PART, Parts, parts_of, starts
from pipeline.new.subjects import BRACES, entity, subjects_of

_TASK = re.compile(r"(?:^|_)task-([A-Za-z0-9]+)")
_NO_STORY = re.compile(r"(?:^|_)(?:sub|ses|space|res|den|desc|hemi)-[A-Za-z0-9]+(?=_|$)")


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A file of responses, and what it is of.

    Parameters
    ----------
    file : Found
        The file.
    subject, story : str
        Whose, to what.
    """

    file: Found
    subject: str
    story: str


@dataclass(frozen=True, kw_only=True)
class Matched:
    """What the names say.

    Parameters
    ----------
    transcripts : dict of (str, str) to Found
        Of story and subject; the subject is empty where all have one transcript.
    recordings : list of Recording
        In the order of subjects and stories.
    notes : list of str
        What was taken for granted.
    left_out : list of str
        Files that no other file belongs to.
    """

    transcripts: dict[tuple[str, str], Found]
    recordings: list[Recording]
    notes: list[str]
    left_out: list[str]

    @property
    def stories(self) -> list[str]:
        """Stories that have responses, in the order of their transcripts."""
        heard = {recording.story for recording in self.recordings}
        return [story for story in dict.fromkeys(s for s, _ in self.transcripts) if story in heard]

    @property
    def subjects(self) -> list[str]:
        """Subjects in their order."""
        return list(dict.fromkeys(recording.subject for recording in self.recordings))

    @property
    def root(self) -> Path:
        """The folder that all files are in; relative, if the command was given relative paths."""
        files = [*self.transcripts.values(), *(one.file for one in self.recordings)]
        folders = {file.path.parent for file in files}
        if len({folder.is_absolute() for folder in folders}) > 1:
            folders = {folder.absolute() for folder in folders}
        return Path(os.path.commonpath(folders) or ".")


def match(transcripts: Sequence[Found], responses: Sequence[Found]) -> Matched:
    """Tell which responses belong to which transcript, and to which subject.

    A story is called what its transcript's name has and others' have not; of several readings of
    the names the longest is taken under which most responses find one story, and fewest several.

    Parameters
    ----------
    transcripts, responses : sequences of Found
        The files.

    Raises
    ------
    ProblemError
        With all files of which it cannot be told.
    """
    notes: list[str] = []
    names, heard = _stories(transcripts, responses, notes)
    unclear = [file for file in responses if len(heard[file.path]) > 1]
    problems = [
        Problem(
            file.path, "--responses", f"several stories: {some(heard[file.path].values())}", BRACES
        )
        for file in unclear
    ]
    matched = [file for file in responses if len(heard[file.path]) == 1]
    if not matched and not problems:
        called = some(file.path.name for file in transcripts)
        what = f"no name of responses has that of a transcript ({called})"
        problems.append(Problem(responses[0].path, "--responses", what, BRACES))
    if problems:
        raise ProblemError(problems)
    subjects = subjects_of(matched, heard, notes)
    recordings = [
        Recording(
            file=file, subject=subjects[file.path], story=next(iter(heard[file.path].values()))
        )
        for file in matched
    ]
    found = _transcripts(transcripts, names)
    order = list(dict.fromkeys(story for story, _ in found))
    recordings.sort(key=lambda one: order.index(one.story))
    by_subject = list(dict.fromkeys(subjects[file.path] for file in matched))
    recordings.sort(key=lambda one: by_subject.index(one.subject))
    _check_one_file_each(recordings)
    taken = {one.story for one in recordings}
    unused = [file for (story, _), file in found.items() if story not in taken]
    _check_not_again(unused, taken)
    alone = [file for file in responses if not heard[file.path]] + unused
    left_out = [str(file.path) for file in alone]
    return Matched(transcripts=found, recordings=recordings, notes=notes, left_out=left_out)


def _stories(
    transcripts: Sequence[Found], responses: Sequence[Found], notes: list[str]
) -> tuple[list[str], dict[Path, dict[Parts, str]]]:
    """Name of each transcript's story, and the stories that each response can be of."""
    best: tuple[int, list[str], dict[Path, dict[Parts, str]]] | None = None
    for names in _readings(transcripts):
        known: dict[Parts, str] = {}
        for name in names:
            known.setdefault(parts_of(name), _flat(name))
        heard: dict[Path, dict[Parts, str]] = {
            file.path: _within(known, parts_of(_text(file))) for file in responses
        }
        clear = sum({0: 0, 1: 1}.get(len(stories), -1) for stories in heard.values())
        if best is None or clear > best[0]:
            best = clear, names, heard
    assert best is not None, "there is a transcript"
    names, heard = list(map(_flat, best[1])), best[2]
    if any(heard.values()) and all(name.isdecimal() for name in names):
        notes.append("stories and responses belong together by a number alone")
    if not any(heard.values()) and len(set(names)) == 1:
        notes.append("there is one transcript: all responses are taken to be to it")
        heard = {file.path: {(): names[0]} for file in responses}
    return names, heard


def _flat(name: str) -> str:
    """A name that is part of a path, as one name."""
    return name.replace("/", "_")


def _readings(transcripts: Sequence[Found]) -> Iterator[list[str]]:
    """What the stories may be called, longer names first."""
    if all("story" in file.said for file in transcripts):
        yield [file.said["story"] for file in transcripts]
        return
    if tasks := _tasks(transcripts):
        yield tasks
    inner = [_NO_STORY.sub("", _without_folders_of_people(file)).strip("_") for file in transcripts]
    last = [PurePosixPath(name).name for name in inner]
    for names in (inner, last):
        for ends in ((False, False), (False, True), (True, True)):
            read = _without_common(names, *ends)
            if read != list(names) and any(name.isdecimal() for name in read):
                continue  # section 9 is not run 9
            if all(read) and len({parts_of(name) for name in read}) == len(set(names)):
                yield read
    yield last


def _tasks(files: Sequence[Found]) -> list[str]:
    """Tasks of BIDS names, if each subject has one run of each; run numbers differ by subject."""
    found = [_TASK.search(PurePosixPath(file.inner).name) for file in files]
    tasks = [match[1] for match in found if match]
    runs = {(entity(file, "subject"), task) for file, task in zip(files, tasks, strict=False)}
    return tasks if len(tasks) == len(files) == len(runs) else []


def _without_folders_of_people(file: Found) -> str:
    """The inner path of a transcript without folders that name a subject or session, or `func`."""
    *folders, name = PurePosixPath(file.inner).parts
    kept = [f for f in folders if not re.fullmatch(r"(?:sub|ses)-[A-Za-z0-9]+|func", f)]
    return "/".join([*kept, name])


def _without_common(names: Sequence[str], head: bool, tail: bool) -> list[str]:
    """Names without the words and numbers that all have at the beginning, or at the end."""
    spans = [list(PART.finditer(name)) for name in names]
    parts = [parts_of(name) for name in names]
    if len(set(parts)) < 2:
        return list(names)
    n_tail = _n_common([p[::-1] for p in parts]) if tail else 0
    n_head = _n_common(parts) if head else 0
    kept = [span[n_head : len(span) - n_tail] for span in spans]
    return [
        name[k[0].start() : k[-1].end()].strip("/") if k else ""
        for name, k in zip(names, kept, strict=True)
    ]


def _n_common(parts: Sequence[Parts]) -> int:
    """How many words all begin with."""
    n = 0
    while all(len(p) > n and p[n] == parts[0][n] for p in parts):
        n += 1
    return n


def _text(file: Found) -> str:
    """What of a response's name can tell its story."""
    if "story" in file.said:
        return file.said["story"]
    *folders, name = PurePosixPath(file.inner).parts
    if _TASK.search(name):
        return _NO_STORY.sub("", name)  # sub-a heard task-a
    kept = [f for f in folders if not re.fullmatch(r"(?:sub|ses)-[A-Za-z0-9]+", f)]
    return "/".join([*kept, _NO_STORY.sub("", name)])


def _within(known: dict[Parts, str], parts: Parts) -> dict[Parts, str]:
    """Those of the names that stand in other parts; not those that stand only in longer ones."""
    places = {
        name: [range(i, i + len(name)) for i in starts(name, parts)] for name in known if name
    }
    there = {name: spans for name, spans in places.items() if spans}
    covered = {
        name
        for name, spans in there.items()
        for longer, around in there.items()
        if len(longer) > len(name)
        and all(any(s.start in a and s[-1] in a for a in around) for s in spans)
    }
    return {name: known[name] for name in there if name not in covered}


def _transcripts(files: Sequence[Found], names: Sequence[str]) -> dict[tuple[str, str], Found]:
    """Transcripts by story and subject (empty where the name tells none)."""
    return _once(
        zip(files, names, strict=True),
        lambda file: entity(file, "subject") or "",
        "--transcripts",
        "two transcripts of the story {story}: {other} is another",
    )


def _check_not_again(unused: Sequence[Found], taken: Iterable[str]) -> None:
    """Raise if a transcript without responses has the name of one with them, in another folder."""
    stories = {parts_of(story): story for story in taken}
    problems = [
        Problem(
            file.path,
            "--transcripts",
            f"two transcripts of the story {story}",
            "give a pattern that only one fits, or move the other away",
        )
        for file in unused
        if (story := stories.get(parts_of(PurePosixPath(file.inner).name)))
    ]
    if problems:
        raise ProblemError(problems)


def _check_one_file_each(recordings: Sequence[Recording]) -> None:
    subjects = {one.file.path: one.subject for one in recordings}
    _once(
        ((one.file, one.story) for one in recordings),
        lambda file: subjects[file.path],
        "--responses",
        "two files for one run of {subject} and {story}: {other} is another",
    )


def _once(
    named: Iterable[tuple[Found, str]],
    subject_of: Callable[[Found], str],
    option: str,
    said: str,
) -> dict[tuple[str, str], Found]:
    """Files by story and subject, each one file.

    Raises
    ------
    ProblemError
        With all that are another file of the same.
    """
    found: dict[tuple[str, str], Found] = {}
    places: dict[tuple[Parts, str], Found] = {}
    problems = []
    for file, story in named:
        subject = subject_of(file)
        if (other := places.setdefault((parts_of(story), subject), file)) is not file:
            what = said.format(story=story, subject=subject, other=other.path)
            remedy = "give a pattern that only one fits, or move the other away"
            problems.append(Problem(file.path, option, what, remedy))
        found.setdefault((story, subject), file)
    if problems:
        raise ProblemError(problems)
    return found
