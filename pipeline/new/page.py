"""The configuration as a text, with a comment for everything that was taken for granted."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.new.choices import Split

TEMPLATE = "config.yaml.j2"
WIDTH = 115


@dataclass(frozen=True, kw_only=True)
class Guesses:
    """All that a configuration is written from.

    Parameters
    ----------
    name, data_root, runs : str
        Of the configuration.
    said : str
        One line on what was found.
    matching, words, responses : sequences of str
        What was taken for granted of names, transcripts and responses.
    left_out : sequence of str
        Files that belong to no other.
    transcripts, response_options : mapping
        `transcripts` and `responses` of the configuration.
    mask : mapping or None
        `mask` of the configuration.
    mask_note : str
        What of the mask is a guess.
    tr : float
        Repetition time, seconds.
    tr_note : str
        Where that is from.
    is_guess : bool
        Whether nothing states it.
    clock_note : str
        What is taken for granted of the time between volumes and sound.
    sound_start : float
        Seconds.
    in_rows : mapping
        As of `pipeline.new.choices.in_rows`.
    split : Split
        What tests.
    min_shift : int or None
        Of `statistics`, where the default is too long.
    n_columns : int
        Voxels, vertices or regions.
    """

    name: str
    data_root: str
    runs: str
    said: str
    matching: Sequence[str]
    words: Sequence[str]
    responses: Sequence[str]
    left_out: Sequence[str]
    transcripts: Mapping[str, Any]
    response_options: Mapping[str, Any]
    mask: Mapping[str, Any] | None
    mask_note: str
    tr: float
    tr_note: str
    is_guess: bool
    clock_note: str
    sound_start: float
    in_rows: Mapping[str, Any]
    split: Split
    min_shift: int | None
    n_columns: int


def page(found: Guesses) -> str:
    """The text of a configuration."""
    environment = Environment(  # nosec B701: it writes YAML, no HTML
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters |= {"comment": _comment, "value": _value}
    return environment.get_template(TEMPLATE).render(vars(found))


def _comment(text: str, indent: str = "") -> str:
    """A text as lines of comments, whatever stands in it."""
    lines = textwrap.wrap(
        " ".join(text.split()),
        WIDTH,
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}# ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines)


def _value(value: Any) -> str:
    """A value on one line; text is in quotation marks where it could be something else."""
    plain = dict(value) if isinstance(value, Mapping) else value
    text = yaml.safe_dump(
        plain, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False
    )
    return text.strip().removesuffix("...").strip()
