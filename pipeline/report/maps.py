"""Pictures of the maps, small enough to be in the page."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

SHOWN = {"surface": "surface", "flatmap": "flatmap", "glass": "glass brain"}
STATISTICS = {"r": "test correlation", "rdiff": "difference"}
QUALITY = 76  # of WebP, 0 to 100
MAX_WIDTH = 1200  # pixels


def map_pictures(listing: str | Path) -> dict[str, Any]:
    """Pictures of a subject's maps, and where its interactive views are.

    Parameters
    ----------
    listing : path
        `sub-X_maps.json`; the files lie beside it.

    Returns
    -------
    dict
        `pictures`: one dict a picture (kind, stat, model, minus, q, title, url); `views`: files
        that the page links to; `kinds`: those of the pictures, in the order of `SHOWN`.
    """
    listing = Path(listing)
    records = _records(json.loads(listing.read_text(encoding="utf-8")))
    pictures = [
        {**record, "url": picture_url(listing.parent / record["file"])}
        for record in records
        if record["kind"] in SHOWN and record["stat"] in STATISTICS
    ]
    views = [
        {**record, "path": f"{listing.parent.name}/{record['file']}"}
        for record in records
        if record["kind"] in ("view", "surfview")
    ]
    present = {picture["kind"] for picture in pictures}
    return {"pictures": pictures, "views": views, "kinds": [k for k in SHOWN if k in present]}


def _records(listing: dict[str, Any]) -> list[dict[str, Any]]:
    """Records of the maps, each with the label under which it is chosen."""
    records = listing.get("maps", [_from_name(name) for name in listing["files"]])
    for record in records:
        label = STATISTICS.get(record["stat"], "")
        label += f" to {record['minus']}" if record["minus"] else ""
        record["label"] = label + (f", q < {record['q']:g}" if record["q"] else "")
    return records


def _from_name(name: str) -> dict[str, Any]:
    entities = dict(part.split("-", 1) for part in name.split("_") if "-" in part)
    kind = name.rsplit("_", 1)[-1].split(".")[0]
    stat, model = entities.get("stat"), entities.get("model")
    minus = "eng1000" if stat == "rdiff" else None
    title = f"{entities.get('sub')}, {model}: {STATISTICS.get(stat or '', '')}"
    return {
        "file": name,
        "kind": kind,
        "stat": stat,
        "model": model,
        "minus": minus,
        "q": None,
        "title": title,
    }


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
