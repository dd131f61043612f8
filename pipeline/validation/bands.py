"""Checks of what bands read beside embeddings and models: lexicons and tables of recordings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.bands.compute import recording_table
from pipeline.bands.registry import BandOptions, band_options, kind_of
from pipeline.config.models import used_bands
from pipeline.config.stories import subjects_and_stories
from pipeline.core.errors import Findings, ProblemError
from pipeline.dataset.dataset import Dataset


def check_bands(config: dict[str, Any]) -> Findings:
    """Check that lexicons of packages and tables, and tables of recordings, can be read.

    Lexicons that are files of the run are left to `pipeline.validation.embedding`.
    """
    findings = Findings()
    for band in used_bands(config):
        options = band_options(config, band)
        kind = kind_of(options.kind)
        try:
            if kind.lexicon is not None and not kind.resources:
                kind.lexicon(options.own)
        except ProblemError as error:
            findings.problems += error.problems
        _check_tables(config, band, findings)
    return findings


def recording_files(
    config: dict[str, Any], *, band: str | None = None, subject: str | None = None
) -> list[Path]:
    """Tables of recordings that bands are made from; of one band, or subject, alone."""
    return list(dict.fromkeys(path for path, *_ in _tables(config, band, subject)))


def _tables(
    config: dict[str, Any], band: str | None, subject: str | None = None
) -> Iterator[tuple[Path, str, BandOptions]]:
    """Every table, its story, and the options of the band that is made from it."""
    dataset = Dataset.from_config(config)
    for each in used_bands(config) if band is None else [band]:
        options = band_options(config, each)
        if options.source == "recording":
            for name, story in subjects_and_stories(config):
                if subject in (None, name):
                    yield recording_table(dataset, name, story, options), story, options


def _check_tables(config: dict[str, Any], band: str, findings: Findings) -> None:
    dataset = Dataset.from_config(config)
    for path, story, options in _tables(config, band):
        try:
            kind_of(options.kind).compute(path, dataset.grid(story), options.own)
        except ProblemError as error:
            findings.problems += error.problems
        except (OSError, ValueError):
            return  # volume counts that cannot be read are told already
