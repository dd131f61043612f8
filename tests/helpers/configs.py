"""Configurations that differ from another in a few keys."""

import copy
from typing import Any


def changed(config: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A copy with other values; `a__b=1` sets the key b of the part a."""
    config = copy.deepcopy(config)
    for path, value in changes.items():
        *parents, key = path.split("__")
        part = config
        for parent in parents:
            part = part.setdefault(parent, {})
        part[key] = value
    return config
