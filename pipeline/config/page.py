"""Write docs/configuration.md from schema and registry: python -m pipeline.config.page."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.bands.registry import known_kinds
from pipeline.core.atomic import write_text
from pipeline.core.schema.validator import band_schema, schema

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"
HEAD = """# Configuration

Made from `pipeline/core/schema/config.schema.yaml` and the registries by
`python -m pipeline.config.page`.
A configuration is a YAML file; see `config/` for complete ones. Unknown keys are errors. Any key
can be overridden on the command line, in quotation marks where it has parts:
`snakemake --configfile config/demo.yaml --config horizon=4 'timing={tr: 1.5}'`.
A target stands before `--configfile`, which takes all words that follow for files:
`snakemake validate --configfile config/demo.yaml`, not the other way round.
Of several files, `--configfile A.yaml B.yaml`, later ones add to the earlier and override them
(`config/overlays/` has some for `config/realdata.yaml`).

| key | default | meaning |
|---|---|---|
"""
KINDS = """
## Kinds of features

A band under `features` is of the kind named by its option `kind`, by default the band's own name.
`n_components` (default null: all columns) replaces a band's columns by their leading principal
components over the training stories. `Mlag`, for a matcher band `M`, is its lag-matched control.

| kind | made from | FIR delays | options and defaults |
|---|---|---|---|
"""

OPTIONS = """
| option | meaning |
|---|---|
"""


def page() -> str:
    """The page as Markdown."""
    keys = "".join(f"| `{key}` | {default} | {text} |\n" for key, default, text in _keys(schema()))
    kinds = "".join(
        f"| `{name}` | {kind.source} | {'yes' if kind.fir else 'no'} | {_options(kind.options)} |\n"
        for name, kind in sorted(known_kinds().items())
    )
    options = "".join(
        f"| `{name}` | {sub['description']} |\n"
        for name, sub in band_schema()["properties"].items()
    )
    return HEAD + keys + KINDS + kinds + OPTIONS + options


def _keys(part: dict[str, Any], place: str = "") -> Iterator[tuple[str, str, str]]:
    """Key, default and description of everything below a part of the schema."""
    for name, sub in part.get("properties", {}).items():
        key = f"{place}{name}"
        required = name in part.get("required", ())
        default = "required" if required else f"`{_value(sub.get('default'))}`"
        shown = default if required or "properties" not in sub else ""
        yield key, shown, sub.get("description", "")
        yield from _keys(sub, f"{key}.")


def _options(options: Any) -> str:
    return ", ".join(f"`{key}: {_value(value)}`" for key, value in options.items()) or "none"


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        value = list(value)
    return "null" if value is None else str(value)


if __name__ == "__main__":
    if not PAGE.is_file():
        sys.exit(
            f"{PAGE} is not there: this writes a page of a checkout of the project, run it in one"
        )
    write_text(PAGE, page())
