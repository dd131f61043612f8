"""Checks of the models that bands read: encoders, indexes, language models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gim.errors import InputError
from gim.files import SHIPPED
from pipeline.bands.registry import BandOptions, band_options
from pipeline.config.models import needed_bands
from pipeline.core.errors import Findings

MARKS = {"encoder": "model.safetensors", "index": "gim.json"}  # a file that each of them has
REMEDIES = {
    "encoder": "train one with `gim distill`, or correct the path",
    "index": "build one with `gim index`, or correct the path",
}
EMBEDDINGS = "static"  # the kind that reads a model's embeddings alone
LLAMA = "llama"


def model_files(config: dict[str, Any]) -> dict[tuple[str, str], Path]:
    """The mark of each encoder and index that a band reads, by band and option.

    What a rule of the run makes is left out.
    """
    files = {}
    for band in needed_bands(config):
        options = band_options(config, band).own
        for key in MARKS.keys() & options.keys():
            if options[key] is None and key != "encoder":
                continue  # only encoders are shipped
            folder = Path(options[key] or SHIPPED)
            if not _is_made(config, folder):
                files[band, key] = folder / MARKS[key]
    return files


def language_models(config: dict[str, Any]) -> dict[str, BandOptions]:
    """Bands that read a language model which no rule of the run makes."""
    bands = {band: band_options(config, band) for band in needed_bands(config)}
    return {
        band: options
        for band, options in bands.items()
        if (source := options.own.get("model")) and not _is_made(config, Path(source))
    }


def language_model_files(config: dict[str, Any]) -> list[Path]:
    """Files of those language models, as far as they are there."""
    from gim.text.hub import files_of

    found: list[Path] = []
    for options in language_models(config).values():
        try:
            found += files_of(options.own["model"])
        except (InputError, OSError):
            continue  # `check_language_models` says so
    return list(dict.fromkeys(found))


def _is_made(config: dict[str, Any], path: Path) -> bool:
    """Whether a rule of the run makes it."""
    trained = config["training"] is not None and not path.exists()
    return trained or path.is_relative_to(f"results/{config['name']}")


def check_models(files: Mapping[tuple[str, str], Path]) -> Findings:
    """Check that every encoder and index (`model_files`) is there."""
    findings = Findings()
    for (band, key), path in files.items():
        if not path.is_file():
            what = f"there is no {key} here"
            findings.problem(path.parent, f"features.{band}.{key}", what, REMEDIES[key])
    return findings


def check_outputs(config: dict[str, Any], files: Mapping[tuple[str, str], Path]) -> Findings:
    """Check that encoders which are there say what bands want of them."""
    findings = Findings()
    for (band, key), path in files.items():
        wanted = band_options(config, band).own.get("output", "vectors")
        if key != "encoder" or wanted == "vectors" or not path.is_file():
            continue
        about = json.loads((path.parent / "config.json").read_text(encoding="utf-8"))
        if not about.get("state_dim"):
            what = "the encoder was not taught its teacher's states"
            remedy = "take its vectors, or train one with the loss `states` (docs/training.md)"
            findings.problem(path.parent, f"features.{band}.output", what, remedy)
    return findings


def check_language_models(bands: Mapping[str, BandOptions]) -> Findings:
    """Check the language models of bands (`language_models`), as far as that takes no weights."""
    findings, found = Findings(), {}
    for band, options in bands.items():
        source, place = options.own["model"], f"features.{band}.model"
        try:
            key = source, options.kind != EMBEDDINGS
            if key not in found:
                found[key] = _model_type(*key)
            if LLAMA in band.lower() and found[key] != LLAMA:
                what = f"the band is called {LLAMA}, but the model is {found[key]}"
                findings.problem(source, place, what, "give the band another name")
        except InputError as error:
            what, _, remedy = str(error).rpartition("; ")
            findings.problem(source, place, what, remedy)
    return findings


def _model_type(source: str, causal: bool) -> str:
    """Kind of a model that can be loaded, with its tokenizer."""
    from gim.causal.saved import check_saved
    from gim.text.tokenizer import load_tokenizer

    config = check_saved(source, causal=causal)
    load_tokenizer(source)
    return str(config.model_type)
