"""What to cite, from the project's CITATION.cff."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).resolve().parents[2] / "CITATION.cff"


def cited_works() -> list[dict[str, str]]:
    """The software, then the works that its CITATION.cff refers to.

    Returns
    -------
    list of dict
        `authors`, `year`, `title`, `doi` and `notes`, empty where unknown; no works where the
        package was installed without the file.
    """
    if not FILE.is_file():
        return []
    software = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return [_work(entry) for entry in (software, *software.get("references", []))]


def _work(entry: dict[str, Any]) -> dict[str, str]:
    names = [author.get("name") or author["family-names"] for author in entry["authors"]]
    collective = any("name" in author for author in entry["authors"])
    work = {key: str(entry.get(key, "")) for key in ("title", "year", "doi", "notes")}
    return work | {"authors": ", ".join(names) + ("" if collective else " et al.")}
