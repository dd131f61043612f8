"""Which stories a subject heard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def training_stories(config: dict[str, Any], subject: str) -> list[str]:
    """Training stories that the subject heard."""
    exclude = config["subjects"][subject]["exclude"]
    return [s for s in config["stories"]["train"] if s not in exclude]


def test_stories(config: dict[str, Any], subject: str) -> list[str]:
    """Test stories that the subject heard."""
    exclude = config["subjects"][subject]["exclude"]
    return [s for s in config["stories"]["test"] if s not in exclude]


def all_stories(config: dict[str, Any]) -> list[str]:
    """Every story of the configuration, training first."""
    return [*config["stories"]["train"], *config["stories"]["test"]]


def heard_stories(config: dict[str, Any], subject: str) -> dict[str, list[str]]:
    """Training and test stories of a subject, by "train" and "test"."""
    return {"train": training_stories(config, subject), "test": test_stories(config, subject)}


def subjects_and_stories(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every subject with every story that the subject heard."""
    for subject in config["subjects"]:
        for stories in heard_stories(config, subject).values():
            yield from ((subject, story) for story in stories)
