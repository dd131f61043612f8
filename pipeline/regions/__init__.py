"""Regions of the brain: which region a voxel belongs to, and how models do in each.

What needs nilearn or matplotlib is imported on first use: every job looks at the regions' files.
"""

from importlib import import_module
from typing import Any

_WHERE = {
    "read_labels": "labels",
    "read_parcellations": "labels",
    "read_truth": "labels",
    "summarise_regions": "summary",
    "unnamed": "labels",
    "write_chart": "chart",
}

__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
