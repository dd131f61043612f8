"""What to cite, from the project's CITATION.cff, to which the link beside this file leads."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml

SHOWN = 2  # authors of a work; CITATION.cff has them all
FILE = files("pipeline.report") / "CITATION.cff"  # in an installed package a file of its own


def cited_works() -> list[dict[str, str]]:
    """The software, then the works that its CITATION.cff refers to.

    Returns
    -------
    list of dict
        `authors`, `year`, `title`, `doi` and `notes`, empty where unknown.
    """
    software = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return [_work(entry) for entry in (software, *software.get("references", []))]


def _work(entry: dict[str, Any]) -> dict[str, str]:
    names = [author.get("name") or author["family-names"] for author in entry["authors"]]
    work = {key: str(entry.get(key, "")) for key in ("title", "year", "doi", "notes")}
    return work | {"authors": ", ".join(names[:SHOWN]) + (" et al." if names[SHOWN:] else "")}
