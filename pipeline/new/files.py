"""The files that a pattern or a folder stands for, and what its braces say of each."""

from __future__ import annotations

import glob
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.core.errors import Problem, ProblemError, some
from pipeline.readers.delimited import read_delimited
from pipeline.readers.formats import RESPONSES, suffix
from pipeline.readers.hemispheres import as_pair

BRACES = re.compile(r"\{([^{}]*)\}")
KEYS = ("subject", "story", "session", "run")
_PARTS = re.compile(r"\*\*/|(?:^|(?<=/))\*\*$|\*|\?|\[!?[^\]/]+\]|\{[^{}]*\}")
_CONTROLS = ("Cc", "Cs", "Zl", "Zp")  # of Unicode: controls, broken characters, lines' ends
_ONSETS = re.compile(r"onset|start|begin|xmin|tmin|time", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """A file, and what is known of it by where it lies.

    Parameters
    ----------
    path : Path
        The file; of two hemispheres the left one.
    inner : str
        Its path below the folder that all the files have in common, without the suffix.
    said : mapping of str to str
        What the pattern's braces stand for, of `KEYS`.
    """

    path: Path
    inner: str
    said: Mapping[str, str] = field(default_factory=dict)


def find(
    patterns: Sequence[str],
    known: Mapping[str, object],
    option: str,
    without: Collection[Path] = (),
) -> list[Found]:
    """Files of one format that patterns, or a folder, stand for, in the order of their names.

    Parameters
    ----------
    patterns : sequence of str
        Paths with wildcards and names in braces, or one folder, in which all is looked at.
    known : mapping
        `pipeline.readers.formats.TRANSCRIPTS` or `RESPONSES`.
    option : str
        The option of the command, for error messages.
    without : collection of Path
        Files that are something else, such as the mask.

    Raises
    ------
    ProblemError
        If there are none, or they are of several formats.
    """
    said: dict[Path, dict[str, str]] = {}
    for pattern in patterns:
        if Path(pattern).is_dir():
            said |= {path: {} for path in _inside(Path(pattern), known)}
        else:
            said |= _matching(pattern, option)
    apart = {os.path.realpath(path) for path in without}
    paths = [path for path in said if os.path.realpath(path) not in apart and suffix(path, known)]
    if known is RESPONSES:
        paths = as_pair(sorted(paths))
    if not paths:
        what = f"there is no file that ends in {', '.join(known)}"
        if known is not RESPONSES and (tables := passed_over(patterns)):
            names = some(path.name for path in tables)
            what = f"no table there ({names}) is one of words with their times"
        raise ProblemError(
            Problem(" ".join(patterns), option, what, "correct the folder or pattern")
        )
    _check_names(paths, option)
    _check_one_format(paths, known, option)
    root = os.path.commonpath([path.parent for path in paths])
    inner = {path: os.path.relpath(path, root) for path in paths}
    ordered = sorted(paths, key=lambda path: natural(inner[path]))
    return [Found(p, inner[p][: -len(suffix(p, known))], said[p]) for p in ordered]


def passed_over(patterns: Sequence[str]) -> list[Path]:
    """Tables in the folders among ``patterns`` that are none of words with their times."""
    folders = [Path(pattern) for pattern in patterns if Path(pattern).is_dir()]
    tables = [path for folder in folders for path in _shown(folder) if _is_table(path)]
    return [path for path in tables if not _is_of_words(path)]


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key that sorts names as people do: 10 comes after 9."""
    parts = re.split(r"(\d+)", name)
    return [(int(bool(i % 2)), int(p) if i % 2 else 0, p) for i, p in enumerate(parts)]


def _inside(folder: Path, known: Mapping[str, object]) -> list[Path]:
    """Files of known formats anywhere in a folder that can be what is looked for."""
    found = [path for path in _shown(folder) if suffix(path, known)]
    if known is RESPONSES and (bold := [path for path in found if "_bold." in path.name]):
        return bold  # of a BIDS tree: no masks, no anatomy, no tables of confounds
    wanted = known is not RESPONSES
    return [path for path in found if not _is_table(path) or _is_of_words(path) == wanted]


def _shown(folder: Path) -> list[Path]:
    """All below a folder that is not hidden."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in (".csv", ".tsv")


def _is_of_words(path: Path) -> bool:
    """Whether the columns of a table are those of words with times, or of events."""
    try:
        names = list(map(str, read_delimited(path)))
    except ProblemError:
        return "event" in path.name or "word" in path.name  # what is wrong is told when it is read
    return any(_ONSETS.search(name) for name in names) and len(names) > 1 and _has_text(path)


def _has_text(path: Path) -> bool:
    table = read_delimited(path)
    return any(table[name].str.contains(r"[^\W\d_]", na=False).mean() > 0.5 for name in table)


def _matching(pattern: str, option: str) -> dict[Path, dict[str, str]]:
    """Files of a pattern, with what its braces stand for; a file's own name stands for itself."""
    if Path(pattern).is_file():
        return {Path(pattern): {}}
    names = BRACES.findall(pattern)
    if strange := [name for name in names if name not in KEYS]:
        what = f"{some(f'{{{name}}}' for name in strange)} stands for nothing"
        remedy = f"use {', '.join(f'{{{key}}}' for key in KEYS)}, and wildcards"
        raise ProblemError(Problem(pattern, option, what, remedy))
    expression = re.compile(_expression(os.path.normpath(pattern)))
    found = {}
    for name in glob.glob(BRACES.sub("*", pattern), recursive=True):
        if Path(name).is_file() or os.path.islink(name):
            match = expression.fullmatch(os.path.normpath(name))
            if match:
                found[Path(name)] = match.groupdict()
    return found


def _expression(pattern: str) -> str:
    """A pattern as a regular expression; a name that is there again stands for the same."""
    done, place, seen = "", 0, set()
    for part in _PARTS.finditer(pattern):
        done += re.escape(pattern[place : part.start()])
        place, text = part.end(), part[0]
        if text.startswith("{"):
            name = text[1:-1]
            done += f"(?P={name})" if name in seen else f"(?P<{name}>[^/]+?)"
            seen.add(name)
        elif text.startswith("["):
            one_of = re.sub(r"([\\\[])", r"\\\1", text[1:-1])
            done += f"[^{one_of[1:]}]" if one_of.startswith("!") else f"[{one_of}]"
        else:
            done += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}[text]
    return done + re.escape(pattern[place:])


def _check_names(paths: Iterable[Path], option: str) -> None:
    """Raise if a name has a line's end or a tab, which neither a table nor a comment can hold."""
    problems = [
        Problem(repr(str(path)), option, "a control character is in the name", "rename the file")
        for path in paths
        if any(unicodedata.category(character) in _CONTROLS for character in str(path))
    ]
    if problems:
        raise ProblemError(problems)


def _check_one_format(paths: Iterable[Path], known: Mapping[str, object], option: str) -> None:
    """Raise if files are of several formats: which is meant, nobody says."""
    by_format: dict[object, list[Path]] = {}
    for path in paths:
        by_format.setdefault(known[suffix(path, known)], []).append(path)
    if len(by_format) > 1:
        each = (
            f"{len(own)} that end in {', '.join(sorted(Counter(suffix(p, known) for p in own)))}"
            for own in by_format.values()
        )
        what = f"files of {len(by_format)} formats: {'; '.join(each)}"
        remedy = f"give {option} a pattern that only one of them fits, as '*.csv'"
        first = next(iter(by_format.values()))[0]
        raise ProblemError(Problem(first.parent, option, what, remedy))
