"""The registry of kinds of bands: every module of `pipeline.features` and `pipeline.matchers`.

A new kind is a new module there, and is found by itself (docs/extending.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from pipeline import features, matchers
from pipeline.features.base import Kind
from pipeline.matching.matches import Matching, induction_features

LAG = "lag"  # the kind of every lag-matched control


@cache
def known_kinds() -> dict[str, Kind]:
    """Every kind of feature space by name, the matchers' among them."""
    kinds = {name: _matcher_kind(name, module) for name, module in _modules(matchers)}
    for name, module in _modules(features):
        if name != "base":
            kinds[module.KIND.name] = module.KIND
    return kinds


def kind_of(name: str) -> Kind:
    """Kind by name.

    Raises
    ------
    KeyError
        If there is none (configurations are checked before this is called).
    """
    return known_kinds()[name]


@cache
def matcher_modules() -> dict[str, ModuleType]:
    """Matcher modules by name, without the lag control, which redraws another's matches."""
    return {name: module for name, module in _modules(matchers) if name != LAG}


def _modules(package: ModuleType) -> Iterator[tuple[str, ModuleType]]:
    """Name and module of every file in a package's folder."""
    for module in iter_modules(package.__path__):
        yield module.name, import_module(f"{package.__name__}.{module.name}")


def _matcher_kind(name: str, module: ModuleType) -> Kind:
    """The kind of feature space that a matcher makes."""
    return Kind(
        name,
        "matches",
        induction_features,
        options={**asdict(Matching()), **module.OPTIONS},
        resources=getattr(module, "RESOURCES", ()),
        required=getattr(module, "REQUIRED", ()),
    )
