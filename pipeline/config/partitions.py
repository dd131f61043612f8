"""Which models a variance partitioning needs, and what they are called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from pipeline.core.errors import repeated

Spaces = tuple[str, ...]


def subsets(spaces: Sequence[str]) -> Iterator[Spaces]:
    """Combinations of one space and more, single ones first, in the order given."""
    for n in range(1, len(spaces) + 1):
        yield from combinations(spaces, n)


def partition_models(config: dict[str, Any], partition: str) -> dict[Spaces, str]:
    """Model of every combination of a partition's spaces.

    A model of the configuration that has the same bands serves; the others are called after the
    partition and its spaces (`storyWordsMatches`).
    """
    known = {frozenset(bands): model for model, bands in config["models"].items()}
    return {
        combination: known.get(
            frozenset(_bands(config, partition, combination)),
            partition + "".join(space[0].upper() + space[1:] for space in combination),
        )
        for combination in subsets(list(config["partitions"][partition]))
    }


def all_models(config: dict[str, Any]) -> dict[str, list[str]]:
    """Bands of the configuration's models and of those that only partitions need."""
    models = dict(config["models"])
    for partition in config["partitions"]:
        for combination, model in partition_models(config, partition).items():
            models.setdefault(model, _bands(config, partition, combination))
    return models


def _bands(config: dict[str, Any], partition: str, combination: Spaces) -> list[str]:
    spaces = config["partitions"][partition]
    return [band for space in combination for band in spaces[space]]


def broken_partitions(config: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Place, problem and remedy of every partition that cannot be made."""
    broken = []
    for partition, spaces in config["partitions"].items():
        place = f"partitions.{partition}"
        bands = [band for space in spaces.values() for band in space]
        for band in sorted(set(bands) - set(config["features"])):
            broken.append((place, f"unknown band {band!r}", "add it to features"))
        for band in repeated(bands):
            broken.append((place, f"{band!r} is in it twice", "give it to one space"))
        names = partition_models(config, partition)
        for combination, model in names.items():
            wanted = _bands(config, partition, combination)
            if set(config["models"].get(model, wanted)) != set(wanted):
                what = f"its model {model!r} is another one of the configuration"
                broken.append((place, what, "rename either"))
    return broken
