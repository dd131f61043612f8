"""Questions about the models of a configuration: their bands, controls and contrasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.bands.registry import LAG, BandOptions, band_options
from pipeline.config.partitions import all_models
from pipeline.matching.matches import fir_of_matches


def used_bands(config: dict[str, Any]) -> list[str]:
    """Bands that some model uses, or that these are made of, as configured."""
    wanted = {band for bands in all_models(config).values() for band in bands}
    wanted &= set(config["features"])
    before = set[str]()
    while wanted != before:  # what a band is made of may be made of others, too
        before = wanted
        wanted = wanted | {other for band in wanted for other in band_options(config, band).made_of}
    return [band for band in config["features"] if band in wanted]


def needed_bands(config: dict[str, Any]) -> list[str]:
    """Bands that a run computes: those that some model uses, and matchers that controls redraw."""
    used = used_bands(config)
    redrawn = {band_options(config, band).redraws for band in used}
    return [band for band in config["features"] if band in used or band in redrawn]


def permuted_bands(config: dict[str, Any], model: str) -> list[str]:
    """Bands of a model whose matches can be permuted."""
    bands = all_models(config)[model]
    return [band for band in bands if band_options(config, band).copies_single_matches]


def copying_bands(config: dict[str, Any], model: str) -> list[str]:
    """Bands of a model that copy what followed matches of their own."""
    bands = all_models(config)[model]
    return [band for band in bands if band_options(config, band).copies_matches]


def audited_bands(config: dict[str, Any]) -> list[str]:
    """Bands made from BOLD that some model uses, and the matchers that they redraw."""
    sources = {band: band_options(config, band).source for band in used_bands(config)}
    bands = [band for band, source in sources.items() if source in ("responses", "matches")]
    redrawn = [band_options(config, band).redraws for band in bands]
    return list(dict.fromkeys([*bands, *(band for band in redrawn if band)]))


def searched_memories(config: dict[str, Any]) -> dict[str, list[str]]:
    """Bands that search a memory of passages, and all bands made from what each finds."""
    options = {band: band_options(config, band) for band in used_bands(config)}
    made = {band: o.recalls or band for band, o in options.items() if o.source == "memory"}
    return {of: [band for band in made if made[band] == of] for of in dict.fromkeys(made.values())}


def recalling_models(config: dict[str, Any]) -> dict[str, str]:
    """Models with a band made from a memory of passages, and the band that searches the first."""
    searching = {b: of for of, bands in searched_memories(config).items() for b in bands}
    found = {m: [b for b in bands if b in searching] for m, bands in config["models"].items()}
    return {model: searching[bands[0]] for model, bands in found.items() if bands}


def explored_bands(config: dict[str, Any]) -> dict[str, str]:
    """Models that copy what followed matches, and the first band of each that does."""
    copying = [band for band in used_bands(config) if band_options(config, band).copies_matches]
    found = {m: [b for b in copying if b in bands] for m, bands in config["models"].items()}
    return {model: bands[0] for model, bands in found.items() if bands}


def match_times(config: dict[str, Any], band: str) -> tuple[list[int], list[int]]:
    """Delays at which a match reaches predictions, and rows after it that are copied."""
    matching = band_options(config, band).matching
    return fir_of_matches(matching)[0], list(matching.offsets)


def controlled_models(config: dict[str, Any]) -> dict[str, str]:
    """`lag_controls` of the configuration's models."""
    options = {band: band_options(config, band) for band in config["features"]}
    return lag_controls(config["models"], options)


def contrasts(config: dict[str, Any], model: str) -> list[str]:
    """Models that a model is compared with: as configured, or the baseline and its lag control."""
    contrasts = config["statistics"]["contrasts"]
    if contrasts is not None:
        return [reference for name, reference in contrasts if name == model]
    wanted = (config["baseline"], model + LAG)
    return [m for m in wanted if m in config["models"] and m != model]


def group_comparisons(config: dict[str, Any]) -> list[tuple[str, str | None]]:
    """What is asked over subjects: the baseline's r, then each model and what it is held against.

    That is the baseline, what the tests compare it with, and the model with its lag control.
    """
    baseline, over = config["baseline"], controlled_models(config)
    pairs = [(m, baseline) for m in config["models"] if m != baseline]
    for model in config["models"]:
        pairs += [(model, other) for other in contrasts(config, model)]
        pairs += [(model, over[model])] if model in over else []
    return [(baseline, None), *dict.fromkeys(pairs)]


def compares(config: dict[str, Any]) -> bool:
    """Whether any test holds one model against another."""
    return bool(config["partitions"]) or any(contrasts(config, m) for m in config["models"])


def nested_pairs(models: Mapping[str, list[str]]) -> list[tuple[str, str, str]]:
    """Every model, another that has all its bands but one, and that band.

    Parameters
    ----------
    models : dict of str to list of str
        Bands of each model.
    """
    return [
        (model, other, (set(bands) - set(fewer)).pop())
        for model, bands in models.items()
        for other, fewer in models.items()
        if set(fewer) < set(bands) and len(fewer) == len(bands) - 1
    ]


def lag_control(options: Mapping[str, BandOptions], bands: Sequence[str], band: str) -> str | None:
    """Lag control of a band among others.

    Parameters
    ----------
    options : mapping of band to BandOptions
        Of each band.
    bands : sequence of str
        Where to look for it.
    band : str
        The matcher.
    """
    return next((other for other in bands if options[other].redraws == band), None)


def lag_controls(
    models: Mapping[str, list[str]], options: Mapping[str, BandOptions]
) -> dict[str, str]:
    """Models with a matcher, and the model that lacks it alone and has its lag control.

    Parameters
    ----------
    models : dict of str to list of str
        Bands of each model.
    options : mapping of band to BandOptions
        Of each band.

    Returns
    -------
    dict of model to model
        Models without such a control are left out; of several, the first counts.
    """
    found: dict[str, str] = {}
    for model, other, band in nested_pairs(models):
        if options[band].copies_matches and lag_control(options, models[other], band):
            found.setdefault(model, other)
    return found
