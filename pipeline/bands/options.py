"""Bands of the configuration: what kind each is, and its options with all defaults filled in."""

from __future__ import annotations

from typing import Any

from pipeline.bands.registry import LAG, kind_of, known_kinds
from pipeline.core.schema.validator import Validator, band_schema
from pipeline.matching.matches import OPTIONS as MATCHING_OPTIONS

BAND_OPTIONS = {"kind", "n_components"}  # options of every band, beside those of its kind
BAND_PATHS = ("encoder", "index", "tokenizer", "model")  # options of bands that may be paths


def broken_band(
    features: dict[str, Any], band: str, options: dict[str, Any]
) -> list[tuple[str, str, str]]:
    """Place, problem and remedy of what is wrong with a band's kind and options."""
    name = _kind_name(features, band)
    if name not in known_kinds():
        return [
            (
                f"features.{band}",
                f"unknown feature space or matcher {name!r}",
                f"set kind to one of {sorted(known_kinds())}",
            )
        ]
    of = _redrawn(features, band)
    if name == LAG and not _is_matcher(features, of):
        what = f"{of!r} is not a matcher among the bands"
        return [(f"features.{band}", what, "name one in `of`")]
    kind = kind_of(name)
    allowed = BAND_OPTIONS | set(kind.options)
    unknown = [
        (f"features.{band}.{key}", "unknown option", f"use one of {sorted(allowed)}")
        for key in sorted(set(options) - allowed)
    ]
    missing = [
        (f"features.{band}.{key}", f"{name} needs this option", "set it (docs/configuration.md)")
        for key in kind.required
        if not options.get(key)
    ]
    wrong = [
        (f"features.{band}{error.json_path[1:]}", error.message, "see docs/configuration.md")
        for error in Validator(band_schema()).iter_errors(options)
    ]
    return unknown + missing + wrong


def _kind_name(features: dict[str, Any], band: str) -> str:
    """Kind of a band: as given, or its name; `Mlag` is the lag control of the band `M`."""
    name = features.get(band, {}).get("kind", band)
    if name not in known_kinds() and name.endswith(LAG) and name.removesuffix(LAG) in features:
        return LAG
    return name


def _redrawn(features: dict[str, Any], band: str) -> str:
    """Band whose matches the lag control `band` redraws."""
    return features[band].get("of") or band.removesuffix(LAG)


def _is_matcher(features: dict[str, Any], band: str) -> bool:
    """Whether a band is made from matches of its own, which a lag control can redraw."""
    name = _kind_name(features, band) if band in features else ""
    return name != LAG and name in known_kinds() and kind_of(name).source == "matches"


def band_options(config: dict[str, Any], band: str) -> dict[str, Any]:
    """Options of a band: its kind's defaults, the config's, `kind` and, for lag controls, `of`.

    A lag control has the matching options of the band that it redraws, unless it sets its own. The
    horizon of bands made from BOLD is filled in.
    """
    features = config["features"]
    name = _kind_name(features, band)
    options = {"n_components": None, **kind_of(name).options}
    if name == LAG:
        of = _redrawn(features, band)
        inherited = band_options(config, of)
        options |= {key: inherited[key] for key in (*MATCHING_OPTIONS, "n_components")}
        options |= {"of": of}
    options |= {**features[band], "kind": name}
    if "horizon" in options and options["horizon"] is None:
        options["horizon"] = config["horizon"]
    return options
