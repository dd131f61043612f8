"""The registry of matchers: a new one is a new module here that defines `match` and `OPTIONS`.

A module may also name the files that rules pass it (`RESOURCES`) and the options that a
configuration must set (`REQUIRED`).

`match(story, newest, rng, options) -> Matches` gets a `Story`, the newest row that each row may
match (`newest`, array of shape (n_rows,), negative where none may), a random generator of its own,
and its options. Candidates are the kept rows 0..newest[f] of the same story.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any

from pipeline import matching
from pipeline.features.base import Kind

LAG = "lag"  # the kind of every lag-matched control


@cache
def matchers() -> dict[str, ModuleType]:
    """Matcher modules by name, without the lag control, which redraws another's matches."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name != LAG]
    return {name: importlib.import_module(f"{__name__}.{name}") for name in names}


def is_matcher(options: Mapping[str, Any]) -> bool:
    """Whether a band copies what followed matches of its own; controls do not.

    Parameters
    ----------
    options : mapping
        `pipeline.config.band_options` of the band.
    """
    return options["kind"] in matchers() and not options["before"]


def copies_single_matches(options: Mapping[str, Any]) -> bool:
    """Whether a band copies what followed one match a row, which permutations can exchange.

    Parameters
    ----------
    options : mapping
        `pipeline.config.band_options` of the band.
    """
    return is_matcher(options) and options.get("n_matches", 1) == 1


def matcher_kinds() -> dict[str, Kind]:
    """A kind of feature space for every matcher, and one for lag-matched controls."""
    from pipeline.matchers import lag

    modules = {**matchers(), LAG: lag}
    return {
        name: Kind(
            name,
            "matches",
            matching.induction_features,
            options={**matching.OPTIONS, **module.OPTIONS},
            resources=getattr(module, "RESOURCES", ()),
            required=getattr(module, "REQUIRED", ()),
        )
        for name, module in modules.items()
    }
