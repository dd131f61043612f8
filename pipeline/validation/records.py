"""What was heard and recorded, read once from the configuration for all checks of a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config.stories import heard_stories
from pipeline.core.errors import Problem, ProblemError
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.grid import Grid
from pipeline.dataset.prepare import reading_options


@dataclass(frozen=True, kw_only=True)
class Stimulus:
    """A story, or a block of one.

    Parameters
    ----------
    name : str
        As the configuration lists it.
    transcript : Path
        Its words; blocks of one story share them.
    grid : Grid or None
        Its TR grid; None if its number of scanned volumes is not known.
    """

    name: str
    transcript: Path
    grid: Grid | None


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A file of a subject's responses.

    Parameters
    ----------
    story : str
        What was heard; of several blocks of one story, the first.
    path : Path
        The file as it was given.
    """

    story: str
    path: Path


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a subject heard, and how the responses are read.

    Parameters
    ----------
    subject : str
        Who.
    recordings : tuple of Recording
        Each file that can be read, once, those of training stories first.
    options : mapping
        As for `pipeline.readers.formats.open_responses`.
    unreadable : tuple of Problem
        Why there is none: what is wrong with the mask that reading takes.
    """

    subject: str
    recordings: tuple[Recording, ...]
    options: Mapping[str, Any]
    unreadable: tuple[Problem, ...] = ()

    @classmethod
    def from_config(cls, config: dict[str, Any], subject: str) -> Heard:
        """Build from a complete configuration (`pipeline.config.load.complete`)."""
        try:
            options = reading_options(config, subject)
        except ProblemError as error:
            unreadable = tuple(error.problems)
            return cls(subject=subject, recordings=(), options={}, unreadable=unreadable)
        dataset = Dataset.from_config(config)
        files: dict[Path, str] = {}
        for stories in heard_stories(config, subject).values():
            for story in stories:
                files.setdefault(dataset.source(subject, story), story)
        recordings = tuple(Recording(story=story, path=path) for path, story in files.items())
        return cls(subject=subject, recordings=recordings, options=options)


def all_heard(config: dict[str, Any]) -> list[Heard]:
    """What each subject heard, in the order of the configuration."""
    return [Heard.from_config(config, subject) for subject in config["subjects"]]
