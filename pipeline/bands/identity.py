"""What a band was made with: the files of models and lexicons, by their checksums."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from gim.files import SHIPPED, file_digest
from gim.text.hub import revision_of
from pipeline.bands.registry import BAND_PATHS, BandOptions, kind_of

NEEDS_ENCODER = "encoder"  # None stands for the shipped one
TABLE = "path"  # of features that others made: a new story has another


def digests(options: BandOptions) -> dict[str, str]:
    """SHA-256 of every model and lexicon that a band's computation reads, by option.

    Parameters
    ----------
    options : BandOptions
        Of the band, with the files of its kind's resources.

    Returns
    -------
    dict of str to str
        Of a file its SHA-256, of a folder that of its files' names and contents, of a model on the
        hub its name and commit.
    """
    return {name: _digest(place) for name, place in _read(options)}


def _read(options: BandOptions) -> Iterator[tuple[str, str]]:
    """Options that name what is read, and the places."""
    for name in (*kind_of(options.kind).resources, *BAND_PATHS):
        if name not in options.own or name == TABLE:
            continue
        place = options.own[name]
        if place is None and name == NEEDS_ENCODER:
            place = SHIPPED
        if place is not None:
            yield name, str(place)


def _digest(place: str) -> str:
    path = Path(place)
    if path.is_file():
        return file_digest(path)
    if not path.is_dir():
        return f"{place} {revision_of(place) or ''}".strip()
    files = sorted(f for f in path.rglob("*") if f.is_file())
    lines = [f"{f.relative_to(path).as_posix()} {file_digest(f)}" for f in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def differences(kept: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Names whose checksums differ, or that only one of the two has."""
    return sorted(name for name in {*kept, *found} if kept.get(name) != found.get(name))
