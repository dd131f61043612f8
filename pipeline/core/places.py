"""What results may say of where files are: results travel, with no user's name and no token.

A path is given as the configuration has it (`$DS003020/mask.nii.gz`), in the dataset, in the
folder of the run, or in the home folder (`~`); an address without user information and query.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

WRITTEN = "written"  # key of a complete configuration: its paths before they were expanded
_ADDRESS = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>]+")


class Places:
    """Names of folders that results may hold, instead of where these are on this disk.

    Parameters
    ----------
    config : mapping
        A complete configuration (`pipeline.config.load.complete`).
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        written = dict(_differences(config.get(WRITTEN) or {}, config))
        home, root = Path.home(), Path(str(config["data_root"]))
        names = {str(Path.cwd()): "", os.environ.get("PWD", ""): ""}
        names |= {str(home.resolve()): "~", str(home): "~"} | written
        self._names = {place: name for place, name in names.items() if place.strip("/")}
        if root.is_absolute() and not any(map(root.is_relative_to, self._names)):
            self._names |= {str(root.resolve()): root.name, str(root): root.name}
        # The deepest first: a dataset in the home folder is called by its own name.
        places = "|".join(map(re.escape, sorted(self._names, key=len, reverse=True)))
        self._pattern = re.compile(rf"(?<![\w./~$}}-])({places})(?![\w-])(/?)")

    def hide(self, value: Any) -> Any:
        """Text, or all texts in mappings and sequences (keys, too), without places and tokens."""
        if isinstance(value, str):
            return self._pattern.sub(self._name, _ADDRESS.sub(_bare, value))
        if isinstance(value, Mapping):
            return {self.hide(key): self.hide(inner) for key, inner in value.items()}
        return [self.hide(inner) for inner in value] if isinstance(value, list | tuple) else value

    def published(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The configuration as it was written, for results."""
        return self.hide({key: value for key, value in config.items() if key != WRITTEN})

    def _name(self, found: re.Match[str]) -> str:
        """A place's name; what lies in the folder of the run is relative to it."""
        name = self._names[found[1]]
        return name + found[2] if name else "" if found[2] else "."


def _differences(written: Any, expanded: Any) -> Iterator[tuple[str, str]]:
    """Folders that paths were expanded to, and what stood for them."""
    if isinstance(written, Mapping):
        for key, inner in written.items():
            yield from _differences(inner, expanded.get(key))
    elif isinstance(written, list) and isinstance(expanded, list):
        for inner, other in zip(written, expanded, strict=True):
            yield from _differences(inner, other)
    elif isinstance(written, str) and isinstance(expanded, str) and written != expanded:
        ours, theirs = PurePosixPath(written), PurePosixPath(expanded)
        while ours.name == theirs.name and ours.name:
            ours, theirs = ours.parent, theirs.parent
        if theirs.is_absolute():  # others say nothing of this disk
            yield str(theirs), str(ours)


def _bare(found: re.Match[str]) -> str:
    """An address without user information, query and fragment."""
    try:
        parts = urlsplit(found[0])
    except ValueError:
        return f"{found[0].partition('://')[0]}://..."
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"
