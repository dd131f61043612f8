"""Pictures of the maps, small enough to be in the page."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

SLICES = "slices"  # shown only where there is nothing else: maps in native space
SHOWN = {"surface": "surface", "flatmap": "flatmap", "glass": "glass brain", SLICES: "slices"}
VIEWS = ("view", "surfview")
STATISTICS = {"r": "test correlation", "rdiff": "difference"}
OVER_SUBJECTS = {
    "mean": "mean over subjects",
    "meanpfwer": "mean where family-wise p",
    "meanpcluster": "mean where cluster p",
    "prevalence": "prevalence",
}
QUALITY = 76  # of WebP, 0 to 100
MAX_WIDTH = 1200  # pixels


def map_pictures(listing: str | Path) -> dict[str, Any]:
    """Pictures of a subject's maps, and where its interactive views are.

    Parameters
    ----------
    listing : path
        `sub-X_maps.json`, or that of the maps over subjects; the files lie beside it.

    Returns
    -------
    dict
        `pictures`: records of the pictures, each with a `label` and a data `url`; `views`: those
        of the files that the page links to, each with a `label` and a `path`; `kinds`: kind of
        picture to its name; `notes`: what is said of all.
    """
    listing = Path(listing)
    said = json.loads(listing.read_text(encoding="utf-8"))
    records, statistics = said["maps"], STATISTICS | OVER_SUBJECTS
    maps = [r for r in records if r["kind"] in SHOWN and r["stat"] in statistics]
    present = {record["kind"] for record in maps}
    kinds = [kind for kind in SHOWN if kind in present]
    if len(kinds) > 1 and SLICES in kinds:
        kinds.remove(SLICES)
    pictures = [
        {**record, "label": _label(record), "url": picture_url(listing.parent / record["file"])}
        for record in maps
        if record["kind"] in kinds
    ]
    views = [
        {**record, "label": _label(record), "path": f"{listing.parent.name}/{record['file']}"}
        for record in records
        if record["kind"] in VIEWS and record["stat"] in statistics
    ]
    named = {kind: SHOWN[kind] for kind in kinds}
    return {"pictures": pictures, "views": views, "kinds": named, "notes": said.get("notes", [])}


def _label(record: Mapping[str, Any]) -> str:
    """What the reader chooses a map by, beside model and kind."""
    if over := OVER_SUBJECTS.get(record["stat"]):
        level = f" < {record['q']:g}" if record["q"] else ""
        return over + level + (f", minus {record['minus']}" if record["minus"] else "")
    label = STATISTICS[record["stat"]]
    label += f" to {record['minus']}" if record["minus"] else ""
    return label + (f", q < {record['q']:g}" if record["q"] else "")


def picture_url(path: str | Path) -> str:
    """A picture as a WebP data URL, at most `MAX_WIDTH` pixels wide."""
    with Image.open(path) as image:
        picture = image.convert("RGB")
    if picture.width > MAX_WIDTH:
        height = round(picture.height * MAX_WIDTH / picture.width)
        picture = picture.resize((MAX_WIDTH, height), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=QUALITY, method=4)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
