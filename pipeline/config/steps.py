"""Jobs of several rules that one job does one after the other, where each by itself is small."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from pipeline.config.stories import heard_stories
from pipeline.dataset.dataset import Dataset
from pipeline.readers.formats import files_of

Items = Sequence[tuple[str, Any]]  # name, empty where there is none, and value


@dataclass(frozen=True, eq=False)
class Step:
    """One job of a rule.

    Parameters
    ----------
    rule : str
        The rule.
    wildcards : mapping of str to str
        What its wildcards stand for.
    input, output, params, log : sequence of (str, value)
        What the rule has, by name. A value is a pattern in which wildcards are replaced, a list of
        these, or a function of the wildcards; what this gives, and `params`, are taken as they are.
    """

    rule: str
    wildcards: Mapping[str, str]
    input: Items
    output: Items
    params: Items
    log: Items

    def filled(self) -> dict[str, Any]:
        """The step with all values, in plain types: what its script needs."""
        return {
            "rule": self.rule,
            "wildcards": dict(self.wildcards),
            "params": [(name, self._value(value)) for name, value in self.params],
            "input": self._files(self.input),
            "output": self._files(self.output),
            "log": self._files(self.log),
        }

    def reads(self) -> list[str]:
        """Files that must be there."""
        return list(_flat(self._files(self.input)))

    def makes(self) -> list[str]:
        """Files that it makes."""
        return list(_flat(self._files(self.output)))

    def _value(self, value: Any) -> Any:
        return value(SimpleNamespace(**self.wildcards)) if callable(value) else value

    def _files(self, items: Items) -> list[tuple[str, str | list[str]]]:
        return [(name, self._paths(value)) for name, value in items]

    def _paths(self, value: Any) -> str | list[str]:
        """Paths of a value; only in patterns are braces wildcards."""
        given = self._value(value)
        paths = [given] if isinstance(given, str) else given
        found = [str(p) if callable(value) else str(p).format(**self.wildcards) for p in paths]
        return found[0] if isinstance(given, str) else found


def steps_to(targets: Iterable[str], possible: Iterable[Step]) -> list[Step]:
    """Steps that make some files, each after those that make what it reads.

    Parameters
    ----------
    targets : iterable of str
        The files. Those that no step makes must come from elsewhere, as what steps read may.
    possible : iterable of Step
        Steps to choose from.
    """
    maker = {path: step for step in possible for path in step.makes()}
    ordered: dict[Step, None] = {}

    def visit(path: str) -> None:
        step = maker.get(path)
        if step is None or step in ordered:
            return
        for needed in step.reads():
            visit(needed)
        ordered[step] = None

    for target in targets:
        visit(target)
    return list(ordered)


def read_from_elsewhere(steps: Sequence[Step]) -> list[str]:
    """Files that steps read and none of them makes."""
    made = {path for step in steps for path in step.makes()}
    read = dict.fromkeys(path for step in steps for path in step.reads())
    return [path for path in read if path not in made]


def are_small(config: dict[str, Any]) -> bool:
    """Whether one job makes all that is made of a subject, as of every subject there is little.

    What is simulated is never small: its files come and go.
    """
    most = config["small_mb"] * 1e6
    if not most or config["simulate"] is not None or config["fit"]["jobs"] > 1:
        return False
    dataset = Dataset.from_config(config)
    try:
        return all(_size(config, dataset, subject) <= most for subject in config["subjects"])
    except OSError:
        return False  # not fetched


def _size(config: dict[str, Any], dataset: Dataset, subject: str) -> int:
    """Bytes of a subject's responses."""
    stories = [s for part in heard_stories(config, subject).values() for s in part]
    files = {f for story in stories for f in files_of(dataset.source(subject, story))}
    return sum(os.stat(file).st_size for file in files)


def _flat(items: Iterable[tuple[str, str | list[str]]]) -> Iterator[str]:
    for _, value in items:
        yield from [value] if isinstance(value, str) else value
