"""Passes of language models over the stories: each serves all bands that read alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipeline.bands.registry import band_options, kind_of
from pipeline.config.models import searched_memories, used_bands
from pipeline.states.reading import Reading, layers_of

STATES = "states"  # the resource of kinds made from them


@dataclass
class Wanted:
    """A pass, what is kept of it, and the bands that want it."""

    reading: Reading
    layers: set[int] = field(default_factory=set)
    pools: set[str] = field(default_factory=set)
    bands: list[str] = field(default_factory=list)


def reading_of(config: dict[str, Any], band: str) -> Reading | None:
    """The pass that a band is made from, or that its memory is searched by, if there is one."""
    options = band_options(config, band)
    is_read = STATES in kind_of(options.kind).resources and options.own["model"]
    return Reading.of(options.own) if is_read else None


def readings(config: dict[str, Any]) -> dict[str, Wanted]:
    """Passes that the bands of the models want, by key.

    All bands of the configuration share in them: what is kept does not change with the models that
    are fitted in a run.
    """
    bands = [*used_bands(config), *searched_memories(config)]
    used = {reading_of(config, band) for band in bands}
    found: dict[str, Wanted] = {}
    for band in config["features"]:
        reading = reading_of(config, band)
        if reading is not None and reading in used:
            wanted = found.setdefault(reading.key, Wanted(reading))
            options = band_options(config, band).own
            wanted.layers |= set(layers_of(options))
            wanted.pools.add(options["pool"])
            wanted.bands.append(band)
    return found
