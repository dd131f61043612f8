"""A YAML file into a dataclass, or one clear error."""

import math
import operator
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

from gim.errors import InputError
from gim.files import read_yaml

T = TypeVar("T")


def read_settings(path: str | Path, kind: type[T]) -> T:
    """Read a YAML file into a dataclass.

    Raises
    ------
    InputError
        For an unreadable file, an unknown or missing key, or a value of the wrong type; it names
        the file, the key and what is allowed.
    """
    return _build(kind, read_yaml(path), str(path), "")


def _build(kind: type[T], values: Any, path: str, place: str) -> T:
    if not isinstance(values, dict):
        what = f"be of type mapping, that is hold keys and values, not {values!r:.40}"
        raise InputError(f"{path}: {place or 'the file'} must {what}")
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    for key in values:
        if key not in known:
            raise InputError(f"{path}: unknown key {place}{key}; known are {', '.join(known)}")
    found: dict[str, Any] = {}
    for name, field in known.items():
        if name in values:
            found[name] = _checked(field.type, values[name], path, f"{place}{name}")
            _check_range(found[name], field.metadata, path, f"{place}{name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise InputError(f"{path}: the key {place}{name} is missing")
    return kind(**found)


def _checked(kind: Any, value: Any, path: str, place: str) -> Any:
    if hasattr(kind, "__dataclass_fields__"):
        return _build(kind, value, path, f"{place}.")
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise InputError(f"{path}: {place} is {value!r}; use one of {get_args(kind)}")
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    options = get_args(kind) if get_origin(kind) is not list else ()
    allowed = tuple(get_origin(option) or option for option in options) or (
        get_origin(kind) or kind,
    )
    wrong_bool = isinstance(value, bool) and bool not in allowed
    if wrong_bool or not isinstance(value, allowed):
        names = " or ".join(getattr(option, "__name__", str(option)) for option in allowed)
        raise InputError(f"{path}: {place} is {value!r}; it must be of type {names}")
    if isinstance(value, list):
        (item,) = get_args(kind)
        return [_checked(item, v, path, f"{place}[{i}]") for i, v in enumerate(value)]
    return value


def _check_range(value: Any, bounds: Mapping[str, Any], path: str, place: str) -> None:
    """Numbers must be finite and within the bounds of their field, lists as long at least."""
    if value is None:
        return
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{path}: {place} is {value}; it must be finite")
    size = len(value) if isinstance(value, list) else value
    for name, is_outside in (("least", operator.lt), ("most", operator.gt)):
        if name in bounds and is_outside(size, bounds[name]):
            what = f"has {size} entries" if isinstance(value, list) else f"is {value}"
            raise InputError(f"{path}: {place} {what}; it must be at {name} {bounds[name]}")
