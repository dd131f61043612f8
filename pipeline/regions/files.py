"""Where a parcellation's files are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILES = ("volume", "names", "left", "right")  # options that are files; `surfaces` is a folder


def region_files(options: Mapping[str, Any], subject: str) -> list[Path]:
    """Files that a parcellation is read from (none for nilearn's own)."""
    return [region_path(options, key, subject) for key in FILES if options.get(key)]


def region_path(options: Mapping[str, Any], key: str, subject: str) -> Path:
    """A path among the options, for the subject."""
    return Path(str(options[key]).replace("{subject}", subject))
