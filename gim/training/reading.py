"""A YAML file into a dataclass, or one clear error."""

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import yaml

from gim.errors import InputError

T = TypeVar("T")


def read_settings(path: str | Path, kind: type[T]) -> T:
    """Read a YAML file into a dataclass.

    Raises
    ------
    InputError
        For an unreadable file, an unknown or missing key, or a value of the wrong type; it names
        the file, the key and what is allowed.
    """
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read as YAML ({error})") from error
    return _build(kind, values, str(path), "")


def _build(kind: type[T], values: Any, path: str, place: str) -> T:
    if not isinstance(values, dict):
        raise InputError(f"{path}: {place or 'the file'} must hold keys and values")
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    for key in values:
        if key not in known:
            raise InputError(f"{path}: unknown key {place}{key}; known are {', '.join(known)}")
    found: dict[str, Any] = {}
    for name, field in known.items():
        if name in values:
            found[name] = _checked(field.type, values[name], path, f"{place}{name}")
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
    return value
