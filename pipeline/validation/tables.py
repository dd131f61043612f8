"""Checks of the tables of features that others made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.bands.registry import band_options
from pipeline.config.models import needed_bands
from pipeline.config.stories import all_stories
from pipeline.core.errors import Findings, Problem, ProblemError
from pipeline.dataset.dataset import Dataset
from pipeline.features.table import KIND, values_of
from pipeline.readers.feature_table import table_path


def tables(config: dict[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Options of the bands that are tables."""
    found = {band: band_options(config, band) for band in needed_bands(config)}
    return {band: options.own for band, options in found.items() if options.kind == KIND.name}


def table_files(config: dict[str, Any], band: str | None = None) -> list[Path]:
    """Files of the tables of all bands, or of one."""
    named = [o for b, o in tables(config).items() if band in (None, b)]
    paths = [table_path(o["path"], story) for o in named for story in all_stories(config)]
    return list(dict.fromkeys(paths))


def check_tables(config: dict[str, Any], n_rows: Mapping[str, int]) -> Findings:
    """Check that every story is in every table, word by word or TR by TR.

    Parameters
    ----------
    config : dict
        Complete configuration.
    n_rows : mapping of story to int
        Rows of the stories that could be read.
    """
    findings = Findings()
    own = tables(config)
    for problem in _trained_on(config, own):
        findings.problems.append(problem)
    if not own:
        return findings
    dataset = Dataset.from_config(config)
    for story, n in n_rows.items():
        try:
            words = dataset.read_words(story)
        except ProblemError:
            continue  # said by the check of transcripts
        for options in own.values():
            try:
                values_of(story, words, n, options)
            except ProblemError as error:
                findings.problems += error.problems
    findings.problems[:] = list(dict.fromkeys(findings.problems))
    return findings


def _trained_on(config: dict[str, Any], own: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    """Test stories and subjects that a table's model was trained with."""
    for band, options in own.items():
        declared = options["trained_on"] or {}
        parts = {"stories": config["stories"]["test"], "subjects": list(config["subjects"])}
        for key, here in parts.items():
            if both := sorted(set(declared.get(key, ())) & set(here)):
                what = f"its model was trained on {key} of this run: {', '.join(both)}"
                remedy = "take a model that was trained without them, or leave them out"
                yield Problem("configuration", f"features.{band}.trained_on", what, remedy)
