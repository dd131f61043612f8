"""What weights say of places: words, colours and timing, as the run's files have them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.report.maps import picture_url

MOST_PLACES = 12  # of the most voxels; the others are in the tables
MOST_WORDS = 10
MOST_VOXELS = 1200  # of all models together that can be chosen one by one: some 0.5 MB
COLOURS = ("rgb_flatmap.png", "rgb_surface.png", "rgb_slices.png")  # the first that there is


def tuned_models(listings: Mapping[tuple[str, str], Path]) -> list[dict[str, Any]]:
    """What the report shows of the models whose weights were kept.

    Parameters
    ----------
    listings : dict of (subject, model) to path
        `sub-X_desc-M_tuning.json`; the files lie beside it.

    Returns
    -------
    list of dict
        `subject`, `model`, `n_predicted`, `level`, `places` (what can be chosen, JSON, or None),
        `map` (data URL or None) and `bands`, each with a `name`, `places` (dicts of name, n_voxels,
        most, least, stability, peak and width, as far as the band has them), `above` (axes above
        chance or None), `colours` and `chart` (data URLs or None).
    """
    found = []
    most = MOST_VOXELS // max(len(listings), 1)
    for (subject, model), path in listings.items():
        said = json.loads(path.read_text(encoding="utf-8"))
        bands = [_band(name, facts, path) for name, facts in said["bands"].items()]
        facts = {key: said[key] for key in ("n_predicted", "level")}
        facts["places"] = (
            _places(path.with_name(said["places"]), most) if "places" in said else None
        )
        facts["map"] = _pixels(path.with_name(said["map"])) if "map" in said else None
        shown = [band for band in bands if band["places"]]
        found.append({"subject": subject, "model": model, "bands": shown, **facts})
    return found


def _band(name: str, facts: Mapping[str, Any], listing: Path) -> dict[str, Any]:
    files = {_ending(file): listing.with_name(file) for file in facts["files"]}
    places: dict[str, dict[str, Any]] = {}
    if "timing.tsv" in files:
        rows = pd.read_csv(files["timing.tsv"], sep="\t").nlargest(MOST_PLACES, "n_voxels")
        for row in rows.sort_index().to_dict("records"):
            keys = ("n_voxels", "peak", "width")
            places[str(row["region"])] = {key: row[key] for key in keys}
    if "words.tsv" in files:
        for place, words in _words(files["words.tsv"]):
            if place in places or "timing.tsv" not in files:
                places.setdefault(place, {}).update(words)
    return {
        "name": name,
        "places": places,
        "above": facts.get("axes_above_chance"),
        "colours": next((picture_url(files[name]) for name in COLOURS if name in files), None),
        "chart": picture_url(files["timing.png"]) if "timing.png" in files else None,
    }


def _ending(file: str) -> str:
    """What a file of a band holds, as the end of its name says."""
    return file.rpartition("_desc-")[2].partition("_")[2]


def _words(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Regions, the words that excite each most and least, and their stability over folds."""
    table = pd.read_csv(path, sep="\t", keep_default_na=False)
    regions = table[table["kind"] == "region"]
    for place, own in regions.groupby("place", sort=False):
        words: dict[str, Any] = {
            str(end): part["word"].tolist()[:MOST_WORDS] for end, part in own.groupby("end")
        }
        stability = pd.to_numeric(own["stability"], errors="coerce").mean()
        yield str(place), words | {"stability": float(stability)}


def _places(path: Path, most: int) -> str:
    """What can be chosen, with no more than `most` single voxels."""
    found = json.loads(path.read_text(encoding="utf-8"))
    voxels = [i for i, place in enumerate(found["places"]) if "at" in place]
    some = set(voxels[:: -(-len(voxels) // most)]) if voxels else set()
    found["places"] = [
        place for i, place in enumerate(found["places"]) if "at" not in place or i in some
    ]
    return json.dumps(found, separators=(",", ":"))


def _pixels(path: Path) -> str:
    """A picture of which each pixel counts, as a data URL."""
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
