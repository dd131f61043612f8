"""Read a configuration, fill in its defaults, and say everything that is wrong with it at once."""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from gim.errors import InputError as LibraryError
from gim.strict_yaml import read_yaml
from pipeline.blocks import broken_blocks
from pipeline.errors import InputError, Problem
from pipeline.features import kind_of, known_kinds
from pipeline.matchers import LAG
from pipeline.matching import OPTIONS as MATCHING_OPTIONS
from pipeline.spaces import broken_partitions

SCHEMAS = Path(__file__).parent / "schema"
PATH_KEYS = (
    ("data_root",),
    ("transcripts", "path"),
    ("responses", "path"),
    ("responses", "volumes"),
    ("eng1000", "path"),
    ("eng1000", "basis_words"),
    ("mask", "path"),
    ("mask", "pycortex", "database"),
    ("lm", "tokenizer"),
    ("lm", "encoder"),
    ("training", "pretrain"),
    ("training", "distill"),
)
TRUTH = "truth"  # parcellation of simulated subjects
BAND_PATHS = ("encoder", "index", "tokenizer", "model")  # options of bands that may be paths
REGION_PATHS = ("volume", "names", "left", "right", "surfaces")
REGION_SOURCES = ({"volume"}, {"left", "right"}, {"atlas"})  # a parcellation is one of these

# Unlike JSON Schema's own, a count has no decimal point, and a number is finite.
_Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda _, value: isinstance(value, int) and not isinstance(value, bool),
            "number": lambda _, value: (
                isinstance(value, int | float)
                and not isinstance(value, bool)
                and math.isfinite(value)
            ),
        }
    ),
)
BAND_OPTIONS = {"kind", "n_components"}  # options of every band, beside those of its kind


@cache
def schema() -> dict[str, Any]:
    """JSON schema of the configuration, with descriptions and defaults."""
    return yaml.safe_load((SCHEMAS / "config.schema.yaml").read_text(encoding="utf-8"))


@cache
def band_schema() -> dict[str, Any]:
    """JSON schema of a band's options, with descriptions; which of them a kind has, it says."""
    return yaml.safe_load((SCHEMAS / "band_options.schema.yaml").read_text(encoding="utf-8"))


def load(path: str | Path) -> dict[str, Any]:
    """Read and complete a YAML configuration file.

    Raises
    ------
    InputError
        If the file is missing, is not YAML, or breaks a rule (all of them are listed).
    """
    return complete(read_file(path), path)


def read_file(path: str | Path) -> Any:
    """What a YAML file holds; Snakemake's own reader takes the last of two equal keys.

    Raises
    ------
    InputError
        If the file is missing, is not YAML, or gives a key twice.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(Problem(path, "", "no such configuration", "pass a file from config/"))
    try:
        return read_yaml(path)
    except LibraryError as error:
        what = str(error).removeprefix(f"{path}: ")
        raise InputError(Problem(path, "", what, "mend the file")) from error


def complete(config: Any, source: str | Path = "configuration") -> dict[str, Any]:
    """Copy of `config` with defaults filled in and paths expanded.

    Parameters
    ----------
    config : dict
        As read from YAML.
    source : str or Path
        Name of the file, for error messages.

    Raises
    ------
    InputError
        Listing every unknown or ill-typed key and every reference to something undefined.
    """
    config = copy.deepcopy(config)
    problems = list(_odd_keys(config, "$", source)) or [
        Problem(source, error.json_path, error.message, "see docs/configuration.md")
        for error in _Validator(schema()).iter_errors(config)
    ]
    if problems:
        raise InputError(problems)
    _fill(config, schema())
    config["subjects"] = {s: {"exclude": [], **(o or {})} for s, o in config["subjects"].items()}
    config["features"] = {b: dict(o or {}) for b, o in config["features"].items()}
    if problems := [Problem(source, *rest) for rest in _broken_references(config)]:
        raise InputError(problems)
    if config["only"] is not None:
        config["models"] = {
            m: bands for m, bands in config["models"].items() if m in config["only"]
        }
    for keys in PATH_KEYS:
        _expand(config, keys)
    for options in config["features"].values():
        for key in set(BAND_PATHS) & set(options):
            options[key] = options[key] and expand_path(options[key])
    if config["lm"]:
        for key in ("train", "evaluate", "models"):
            config["lm"][key] = [expand_path(p) for p in config["lm"][key]]
    for options in config["regions"].values():
        for key in set(REGION_PATHS) & set(options):
            options[key] = expand_path(options[key])
    config["eng1000"]["corpora"] = [expand_path(p) for p in config["eng1000"]["corpora"]]
    return config


def _odd_keys(
    value: Any, place: str, source: str | Path, around: tuple[Any, ...] = ()
) -> Iterator[Problem]:
    """Keys that YAML takes for numbers, dates or truth values; parts that contain themselves."""
    if any(value is outer for outer in around):
        yield Problem(source, place, "this part contains itself", "remove the YAML alias (*)")
        return
    items = value.items() if isinstance(value, dict) else ()
    for key, inner in items:
        if not isinstance(key, str):
            what = f"the key {key!r} is not a name but of type {type(key).__name__}"
            yield Problem(source, place, what, "put it in quotation marks")
        yield from _odd_keys(inner, f"{place}.{key}", source, (*around, value))
    for i, inner in enumerate(value if isinstance(value, list) else ()):
        yield from _odd_keys(inner, f"{place}[{i}]", source, (*around, value))


def _fill(value: Any, part: dict[str, Any]) -> None:
    """Set missing properties of `value` to the schema's defaults, in depth."""
    if not isinstance(value, dict):
        return
    for key, sub in part.get("properties", {}).items():
        if key not in value and "default" in sub:
            value[key] = copy.deepcopy(sub["default"])
        if key in value:
            _fill(value[key], sub)


def expand_path(path: str) -> str:
    """`path` with ~ and environment variables replaced."""
    return os.path.expanduser(os.path.expandvars(path))


def _expand(config: dict[str, Any], keys: tuple[str, ...]) -> None:
    for key in keys[:-1]:
        config = config.get(key) or {}
    if config.get(keys[-1]):
        config[keys[-1]] = expand_path(config[keys[-1]])


def _broken_references(config: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Place, problem and remedy of everything that names something undefined."""
    broken = []
    stories = config["stories"]
    for story in sorted(set(stories["train"]) & set(stories["test"])):
        broken.append(
            ("stories", f"{story!r} is both a training and a test story", "remove it from one list")
        )
    broken.extend(broken_blocks(config))
    for subject, options in config["subjects"].items():
        for story in sorted(set(options["exclude"]) - {*stories["train"], *stories["test"]}):
            broken.append(
                (f"subjects.{subject}.exclude", f"{story!r} is not a story here", "remove it")
            )
        if len(training_stories(config, subject)) < config["fit"]["n_folds"]:
            broken.append(
                (
                    f"subjects.{subject}",
                    f"fewer training stories than the {config['fit']['n_folds']} folds",
                    "lower fit.n_folds or add stories",
                )
            )
        if not test_stories(config, subject):
            broken.append((f"subjects.{subject}", "no test story is left", "exclude fewer"))
    for band, options in config["features"].items():
        broken.extend(_broken_band(config["features"], band, options))
    for model, bands in config["models"].items():
        for band in bands:
            if band not in config["features"]:
                broken.append(
                    (
                        f"models.{model}",
                        f"unknown band {band!r}",
                        f"add it to features or use one of {sorted(config['features'])}",
                    )
                )
    fitted = set(config["only"] or config["models"]) & set(config["models"])
    for place, names in _named_models(config):
        for model in sorted(set(names) - fitted):
            what = f"{model!r} is no model of this run"
            broken.append((place, what, f"use one of {sorted(fitted)}"))
    broken.extend(_broken_regions(config))
    broken.extend(broken_partitions(config))
    alphas = config["fit"]["alphas"]
    if alphas["min"] > alphas["max"]:
        broken.append(("fit.alphas", "min is above max", "swap them"))
    return broken


def _named_models(config: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Keys that name models, and the names."""
    yield "baseline", [config["baseline"]]
    yield "only", config["only"] or []
    for pair in config["statistics"]["contrasts"] or ():
        yield "statistics.contrasts", pair


def _broken_regions(config: dict[str, Any]) -> list[tuple[str, str, str]]:
    broken = []
    if config["regions"] and config["mask"] is None:
        broken.append(("regions", "without a mask voxels have no place", "give `mask`"))
    for name, options in config["regions"].items():
        source = set(options) & {key for keys in REGION_SOURCES for key in keys}
        if source not in REGION_SOURCES:
            what = f"{' and '.join(sorted(source)) or 'nothing'} to read regions from"
            remedy = "give `volume`, or `left` and `right`, or `atlas`"
            broken.append((f"regions.{name}", what, remedy))
        if name == TRUTH and config["simulate"] is not None:
            what = "simulated subjects have true regions of this name"
            broken.append((f"regions.{name}", what, "choose another name"))
    return broken


def _broken_band(
    features: dict[str, Any], band: str, options: dict[str, Any]
) -> list[tuple[str, str, str]]:
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
        for error in _Validator(band_schema()).iter_errors(options)
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


def references(config: dict[str, Any], model: str) -> list[str]:
    """Models that a model is compared with: as configured, or the baseline and its lag control."""
    contrasts = config["statistics"]["contrasts"]
    if contrasts is not None:
        return [reference for name, reference in contrasts if name == model]
    wanted = (config["baseline"], model + LAG)
    return [m for m in wanted if m in config["models"] and m != model]


def training_stories(config: dict[str, Any], subject: str) -> list[str]:
    """Training stories that the subject heard."""
    exclude = config["subjects"][subject]["exclude"]
    return [s for s in config["stories"]["train"] if s not in exclude]


def test_stories(config: dict[str, Any], subject: str) -> list[str]:
    """Test stories that the subject heard."""
    exclude = config["subjects"][subject]["exclude"]
    return [s for s in config["stories"]["test"] if s not in exclude]


def all_stories(config: dict[str, Any]) -> list[str]:
    """Every story of the configuration, training first."""
    return [*config["stories"]["train"], *config["stories"]["test"]]
