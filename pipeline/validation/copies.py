"""Files under another's name: transcripts with the same words, responses with the same numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.core.errors import Findings, some
from pipeline.embedding.eng1000 import fold
from pipeline.validation.records import Stimulus

MIN_WORDS = 10  # fewer may be alike by chance


def check_transcripts(
    stimuli: Sequence[Stimulus],
    words: Mapping[str, Sequence[str]],
    config: dict[str, Any],
    findings: Findings,
) -> None:
    """Find stories that have the words of another: of a training story, an error for a test story.

    Parameters
    ----------
    stimuli : sequence of Stimulus
        All stories and blocks of stories; blocks of one story share its transcript.
    words : mapping of str to sequence of str
        The words of each that could be read; they are compared whatever their case.
    config : dict
        Complete configuration; `allow.copies` names test stories that may.
    findings : Findings
        Where problems and warnings are noted.
    """
    training, allowed = set(config["stories"]["train"]), set(config["allow"]["copies"])
    names: dict[Path, set[str]] = {}
    spoken: dict[Path, tuple[str, ...]] = {}
    for stimulus in stimuli:
        names.setdefault(stimulus.transcript, set()).add(stimulus.name)
        if len(own := words.get(stimulus.name, ())) >= MIN_WORDS:
            spoken.setdefault(stimulus.transcript, tuple(map(fold, own)))
    first: dict[tuple[str, ...], Path] = {}
    for path, text in spoken.items():
        if (other := first.setdefault(text, path)) == path:
            continue
        what, pair = f"the words are those of {other}", names[path] | names[other]
        remedy = "nothing, if the story was heard twice; else give it its own transcript"
        if (tested := pair - training - allowed) and pair & training:
            what += ": one trains, the other tests"
            remedy = (
                f"give each story its own transcript; if {some(sorted(tested))} was heard twice, "
                "test on another story, or name it in `allow.copies`"
            )
            findings.problem(path, "words", what, remedy)
        else:
            findings.warn(path, "words", what, remedy)


def check_responses(digests: Mapping[tuple[str, Path], str], findings: Findings) -> None:
    """Find responses that are those of another story or subject.

    Parameters
    ----------
    digests : mapping of (str, Path) to str
        Subject and file, and what `pipeline.validation.responses.Checked` says of it.
    findings : Findings
        Where problems are noted: one a file, but for two subjects one for all their files.
    """
    first: dict[str, tuple[str, Path]] = {}
    shared: dict[tuple[str, str], list[tuple[Path, Path]]] = {}
    for (subject, path), digest in digests.items():
        owner, other = first.setdefault(digest, (subject, path))
        if owner != subject:
            shared.setdefault((subject, owner), []).append((path, other))
        elif other != path:
            what = f"the responses are those of {other}"
            remedy = "fetch both again: one has the other story's name"
            findings.problem(path, "data", what, remedy)
    for (subject, owner), pairs in shared.items():
        path, other = pairs[0]
        stories = some((one.stem for one, _ in pairs), 10)
        what = f"the responses to {stories} are those of {owner} ({other})"
        remedy = f"fetch {subject}'s again, or leave one of the two subjects out"
        if path == other:
            remedy = "put {subject} into `responses.path`, as every subject has files of its own"
        findings.problem(path, "data", what, remedy)
