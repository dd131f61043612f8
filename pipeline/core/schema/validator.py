"""JSON schemas of the configuration and of a band's options, and the validator of both.

The keyword `remedy` of a part says what to do where its own rules are broken, the unit above all.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from math import isfinite
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as SafeLoader  # ten times as fast
except ImportError:  # PyYAML without libyaml
    from yaml import SafeLoader  # type: ignore[assignment]

SCHEMAS = files(__package__)
REMEDY = "see docs/configuration.md"  # where a part of a schema has no better one


@cache
def schema() -> dict[str, Any]:
    """JSON schema of the configuration, with descriptions and defaults."""
    return _read("config.schema.yaml")


@cache
def band_schema() -> dict[str, Any]:
    """JSON schema of a band's options, with descriptions; which of them a kind has, it says."""
    return _read("band_options.schema.yaml")


def _read(name: str) -> dict[str, Any]:
    """A schema that lies beside this file."""
    return yaml.load((SCHEMAS / name).read_text(encoding="utf-8"), Loader=SafeLoader)


def faults(value: Any, part: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Place (a path from `$`), problem and remedy of whatever breaks a schema."""
    for error in _validator()(part).iter_errors(value):
        yield error.json_path, error.message, error.schema.get("remedy", REMEDY)


@cache
def _validator() -> Any:
    """JSON Schema's, but that a count has no decimal point, and a number is finite."""
    from jsonschema import Draft202012Validator, validators  # slow to import; jobs are not checked

    def is_number(_: Any, value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)

    def is_count(_: Any, value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    checker = Draft202012Validator.TYPE_CHECKER
    own = checker.redefine_many({"integer": is_count, "number": is_number})
    return validators.extend(Draft202012Validator, type_checker=own)
