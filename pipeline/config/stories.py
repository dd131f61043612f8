"""Which stories a subject heard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.dataset.grid import block_of


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


def shared_stories(heard: Sequence[Mapping[str, Sequence[str]]]) -> dict[str, list[str]]:
    """Training and test stories that all subjects heard, by "train" and "test".

    Parameters
    ----------
    heard : sequence of mappings
        `heard_stories` of each subject.
    """
    return {
        part: [s for s in heard[0][part] if all(s in other[part] for other in heard)]
        for part in ("train", "test")
    }


def subjects_and_stories(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every subject with every story that the subject heard."""
    for subject in config["subjects"]:
        for stories in heard_stories(config, subject).values():
            yield from ((subject, story) for story in stories)


def broken_folds(config: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Place, problem and remedy of fewer training stories than folds, of the run or of subjects."""
    n_folds, listed = config["fit"]["n_folds"], config["stories"]["train"]
    counts = {s: len(training_stories(config, s)) for s in config["subjects"]}
    few = {f"subjects.{subject}": n for subject, n in counts.items() if n < n_folds}
    if len(listed) < n_folds:  # which subject hears them does not matter
        few = {"fit.n_folds": len(listed)}
    are = units(config)
    for place, n in few.items():
        what = f"{n} training {are}, fewer than the {n_folds} folds"
        yield place, what, f"lower fit.n_folds or add {are}"


def units(config: dict[str, Any]) -> str:
    """What the folds are made of: stories, blocks of them, or both."""
    are_blocks = {bool(block_of(name, config["blocks"])) for name in config["stories"]["train"]}
    names = {False: "stories", True: "blocks"}
    return " and ".join(names[kind] for kind in sorted(are_blocks))
