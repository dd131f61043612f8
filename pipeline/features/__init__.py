"""The registry of feature spaces: a new one is a new module here that defines `KIND`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from pipeline.dataset.story import Story
from pipeline.features.base import Kind

__all__ = ["Kind", "Story", "kind_of", "known_kinds"]


@cache
def known_kinds() -> dict[str, Kind]:
    """Every kind of feature space by name, the matchers' among them."""
    from pipeline.matchers import matcher_kinds

    kinds = dict(matcher_kinds())
    for module in pkgutil.iter_modules(__path__):
        if module.name != "base":
            kind = importlib.import_module(f"{__name__}.{module.name}").KIND
            kinds[kind.name] = kind
    return kinds


def kind_of(name: str) -> Kind:
    """Kind by name.

    Raises
    ------
    KeyError
        If there is none (configurations are checked before this is called).
    """
    return known_kinds()[name]
