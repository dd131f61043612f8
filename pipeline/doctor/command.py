"""What is installed, what the machine has, and which models and data are here, on one page.

    python -m pipeline.doctor

Paste it into an issue: it holds no tokens, no host, no user's name. The exit status is 1 where
something that every run needs is broken.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace

from pipeline.doctor.lines import Line, shown

PARTS = {"Installed": "installation", "Machine": "machine", "Models and data": "found"}
WIDTH, INDENT = 110, 20


def look() -> dict[str, list[Line]]:
    """All lines, by the part of the page; of a part that fails, why."""
    return {title: _lines(name) for title, name in PARTS.items()}


def page(parts: Mapping[str, Sequence[Line]]) -> str:
    """The page as a text."""
    return "\n".join(_page(parts)) + "\n"


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.doctor",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="the same for programs")
    options = parser.parse_args(arguments)
    parts = look()
    if options.json:
        print(json.dumps({t: [asdict(line) for line in own] for t, own in parts.items()}, indent=2))
    else:
        print(page(parts), end="")
    sys.exit(any(line.state == "BROKEN" for own in parts.values() for line in own))


def _lines(name: str) -> list[Line]:
    """What a module of this folder finds; it is imported here, as what it imports may be broken."""
    lines: list[Line] = []
    try:
        lines.extend(getattr(importlib.import_module(f"pipeline.doctor.{name}"), name)())
    except Exception as error:
        said = f"cannot be looked at: {type(error).__name__}: {error}".splitlines()[0]
        lines.append(Line(name, said, "BROKEN", "install the package again"))
    return [replace(line, said=shown(line.said)) for line in lines]


def _page(parts: Mapping[str, Sequence[Line]]) -> Iterator[str]:
    for title, lines in parts.items():
        yield title
        for line in lines:
            state = f"{line.state}: " if line.state else ""
            remedy = f" -> {line.remedy}" if line.remedy else ""
            yield textwrap.fill(
                f"{state}{line.said}{remedy}",
                WIDTH,
                initial_indent=f"  {line.name:<{INDENT - 2}}",
                subsequent_indent=" " * INDENT,
                break_long_words=False,
                break_on_hyphens=False,
            )
        yield ""
    broken = [line.name for own in parts.values() for line in own if line.state == "BROKEN"]
    yield f"Broken: {', '.join(broken)}." if broken else "Nothing that is needed is broken."
