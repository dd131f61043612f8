"""Read a configuration, fill in its defaults, and say everything that is wrong with it at once."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from gim.errors import InputError
from gim.files import read_yaml
from pipeline.bands.registry import BAND_PATHS, broken_band, kind_of, known_kinds
from pipeline.config.addresses import sent_variables, unsafe_addresses
from pipeline.config.partitions import broken_partitions
from pipeline.config.runs import broken_rows, broken_runs, expanded, with_runs
from pipeline.config.stories import broken_folds, heard_stories, shared_stories, test_stories
from pipeline.core.errors import Problem, ProblemError
from pipeline.core.places import WRITTEN
from pipeline.core.schema.validator import faults, schema
from pipeline.dataset.dataset import MEAN, NAMED, TRUTH, VOXELS
from pipeline.dataset.grid import broken_blocks
from pipeline.features.base import Kind

READABLE = "readable"  # how models are called whose bands can all be read
PROGRAM = "__use_yte__"  # Snakemake evaluates the expressions of a file with this key
PATH_KEYS = (
    ("data_root",),
    ("runs",),
    ("transcripts", "path"),
    ("responses", "path"),
    ("responses", "volumes"),
    ("eng1000", "path"),
    ("eng1000", "basis_words"),
    ("mask", "path"),
    ("surface", "left"),
    ("surface", "right"),
    ("mask", "pycortex", "database"),
    ("lm", "tokenizer"),
    ("lm", "encoder"),
    ("training", "pretrain"),
    ("training", "distill"),
)
PATH_LISTS = {"lm": ("train", "evaluate", "models"), "eng1000": ("corpora",)}
REGION_PATHS = ("volume", "names", "left", "right", "surfaces")
REGION_SOURCES = ({"volume"}, {"left", "right"}, {"atlas"})  # a parcellation is one of these


def load(path: str | Path) -> dict[str, Any]:
    """Read and complete a YAML configuration file.

    Raises
    ------
    ProblemError
        If the file is missing, is not YAML, or breaks a rule (all of them are listed).
    """
    return complete(read_file(path), path)


def read_file(path: str | Path) -> Any:
    """What a YAML file holds; Snakemake's own reader takes the last of two equal keys.

    Raises
    ------
    ProblemError
        If the file is missing, is not YAML, gives a key twice, or holds a program.
    """
    path = Path(path)
    if not path.is_file():
        raise ProblemError(Problem(path, "", "no such configuration", "pass a file from config/"))
    try:
        content = read_yaml(path)
    except InputError as error:
        what = str(error).removeprefix(f"{path}: ")
        raise ProblemError(Problem(path, "", what, "mend the file")) from error
    if isinstance(content, dict) and PROGRAM in content:
        what = "the file is a program: Snakemake runs what stands in it, even for --dry-run"
        remedy = "read all of it; a configuration of this workflow needs no such key"
        raise ProblemError(Problem(path, PROGRAM, what, remedy))
    return content


def complete(config: Any, source: str | Path = "configuration") -> dict[str, Any]:
    """Copy of `config` with defaults filled in and paths expanded; `written` has them as given.

    Parameters
    ----------
    config : dict
        As read from YAML.
    source : str or Path
        Name of the file, for error messages.

    Raises
    ------
    ProblemError
        Listing every unknown or ill-typed key and every reference to something undefined.
    """
    config = copy.deepcopy(config)
    written = config.pop(WRITTEN, None) if isinstance(config, dict) else None  # completed before
    if problems := list(_odd_keys(config, "$", source)):
        raise ProblemError(problems)
    config = with_runs(config)
    if problems := [Problem(source, *rest) for rest in faults(config, schema())]:
        raise ProblemError([*broken_rows(config), *problems])
    _fill(config, schema())
    config["subjects"] = {s: {"exclude": [], **(o or {})} for s, o in config["subjects"].items()}
    config["features"] = {b: dict(o or {}) for b, o in config["features"].items()}
    if problems := [Problem(source, *rest) for rest in _broken_references(config)]:
        raise ProblemError([*broken_rows(config), *problems])
    if config["only"] is not None:
        for options, key in ((config["maps"], "figures_for"), (config["keep"], "models")):
            options[key] = options[key] and [m for m in options[key] if m in config["only"]]
    config[WRITTEN] = written or copy.deepcopy(config)  # results say this, not what it stands for
    if config["only"] is not None:
        config["models"] = {
            m: bands for m, bands in config["models"].items() if m in config["only"]
        }
    if problems := [Problem(source, *rest) for rest in _expand(config)]:
        raise ProblemError(problems)
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


def _expand(config: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Expand all paths in place; place, problem and remedy of what fetching must not send."""
    root = expanded(config["data_root"])
    if config["fetch"]:
        yield from unsafe_addresses(config["fetch"])
    for place, part, key in paths_of(config):
        written, part[key] = part[key], expanded(part[key])
        if config["fetch"] and place != "data_root":
            yield from sent_variables(place, written, part[key], root)


def paths_of(config: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Every path: its place, what holds it, and the key or index under which it does."""
    for *parents, key in PATH_KEYS:
        part = config
        for parent in parents:
            part = part.get(parent) or {}
        if isinstance(part.get(key), str) and part[key]:
            yield ".".join((*parents, key)), part, key
    for kind, keys in (("features", BAND_PATHS), ("regions", REGION_PATHS)):
        for name, options in config[kind].items():
            yield from ((f"{kind}.{name}.{key}", options, key) for key in keys if options.get(key))
            paths = options.get("corpus") or []
            yield from ((f"{kind}.{name}.corpus[{i}]", paths, i) for i in range(len(paths)))
    for name, lists in PATH_LISTS.items():
        for key in lists if config[name] else ():
            paths = config[name][key]
            yield from ((f"{name}.{key}[{i}]", paths, i) for i in range(len(paths)))


def _broken_references(config: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Place, problem and remedy of everything that names something undefined."""
    broken = []
    stories = config["stories"]
    for story in sorted(set(stories["train"]) & set(stories["test"])):
        broken.append(
            ("stories", f"{story!r} is both a training and a test story", "remove it from one list")
        )
    for key, named in config["allow"].items():
        for story in sorted(set(named) - set(stories["test"])):
            broken.append((f"allow.{key}", f"{story!r} is not a test story here", "remove it"))
    broken.extend(broken_blocks(config))
    broken.extend(broken_runs(config))
    for subject, options in config["subjects"].items():
        for story in sorted(set(options["exclude"]) - {*stories["train"], *stories["test"]}):
            broken.append(
                (f"subjects.{subject}.exclude", f"{story!r} is not a story here", "remove it")
            )
        if not test_stories(config, subject):
            broken.append((f"subjects.{subject}", "no test story is left", "exclude fewer"))
    if MEAN in config["subjects"]:
        what = "tables have means over subjects under this name"
        broken.append((f"subjects.{MEAN}", what, "choose another name"))
    broken.extend(broken_folds(config))
    for band, options in config["features"].items():
        broken.extend(broken_band(config["features"], band, options))
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
    broken.extend(_unreadable_models(config))
    fitted = set(config["only"] or config["models"]) & set(config["models"])
    for place, names, remedy in _named_models(config):
        for model in sorted(set(names) - fitted):
            what = f"{model!r} is no model of this run"
            broken.append((place, what, f"{remedy} one of {sorted(fitted)}"))
    broken.extend(_broken_controls(config))
    broken.extend(_broken_regions(config))
    broken.extend(broken_partitions(config))
    alphas = config["fit"]["alphas"]
    if alphas["min"] > alphas["max"]:
        broken.append(("fit.alphas", "min is above max", "swap them"))
    broken.extend(_broken_solver(config))
    broken.extend(_broken_filter(config["responses"], config["timing"]["tr"]))
    return broken


def _kinds_of(config: dict[str, Any], bands: Iterable[str]) -> Iterator[tuple[str, Kind]]:
    """Bands, as far as they are known, and their kinds."""
    for band in bands:
        name = config["features"].get(band, {}).get("kind", band)
        if name in known_kinds():
            yield band, kind_of(name)


def _unreadable_models(config: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Models called readable that have bands of which nobody can say what they mean."""
    for model in filter(lambda name: name.startswith(READABLE), config["models"]):
        for band, _ in _kinds_of(config, config["models"][model]):
            shown = (band, str(config["features"].get(band, {}).get("band")))  # through it another
            if not all(kind.readable for _, kind in _kinds_of(config, shown)):
                what = f"{band!r} is a black box or a control, which nobody can read"
                yield f"models.{model}", what, "leave it out, or call the model otherwise"


def _broken_solver(config: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Models with a memory of passages, and a solver whose search cannot make it for every fold."""
    if config["fit"]["solver"] != "himalaya":
        return
    for model in config["models"]:
        for band, kind in _kinds_of(config, config["models"][model]):
            if kind.source == "memory":
                what = f"himalaya cannot make the memory of {band!r} in {model!r} for every fold"
                yield "fit.solver", what, "set auto, gram or kernel"


def _broken_filter(responses: dict[str, Any], tr: float) -> Iterator[tuple[str, str, str]]:
    """A filter that takes more than half of what is sampled every `tr` seconds, or two filters."""
    high_pass = responses["high_pass"] or 0
    if high_pass and "high_pass" in (responses["confounds"] or {}).get("strategy", ()):
        what = "the strategy of `responses.confounds` has slow cosines already (high_pass)"
        yield "responses.high_pass", what, "set one of the two"
    if high_pass > (highest := 1 / (4 * tr)):
        what = f"{high_pass:g} Hz is most of what a TR of {tr:g} s samples (up to {2 * highest:g})"
        yield "responses.high_pass", what, f"give at most {highest:g} Hz; 0.01 is usual"


def _named_models(config: dict[str, Any]) -> Iterator[tuple[str, list[str], str]]:
    """Keys that name models, the names, and how a remedy begins."""
    baseline = "set `baseline` to the model that the others are compared with,"
    yield "baseline", [config["baseline"]], baseline
    yield "only", config["only"] or [], "use"
    left_out = set() if config["only"] is None else set(config["models"]) - set(config["only"])
    drawn, kept = config["maps"]["figures_for"], config["keep"]["models"]
    for place, names in (("maps.figures_for", drawn), ("keep.models", kept)):
        yield place, [model for model in names or [] if model not in left_out], "use"
    for pair in config["statistics"]["contrasts"] or ():
        yield "statistics.contrasts", pair, "use"
    for control in ("shuffled_chunks", "presentations"):
        yield f"controls.{control}", config["controls"][control], "use"


def _broken_controls(config: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Controls that cannot be made of the models and subjects that there are."""
    for model in config["controls"]["shuffled_chunks"]:
        for band, kind in _kinds_of(config, config["models"].get(model, ())):
            if kind.source == "memory":
                what = f"{band!r} of {model!r} is made of a memory, which chunks would be part of"
                yield "controls.shuffled_chunks", what, "leave the model out"
    heard = [heard_stories(config, subject) for subject in config["subjects"]]
    if config["controls"]["intersubject"] == "none":
        return
    shared = shared_stories(heard)
    if len(heard) < 2 or not shared["test"]:
        what = "no test story was heard by several subjects" if len(heard) > 1 else "one subject"
        yield "controls.intersubject", what, "set none"
    elif len(shared["train"]) < config["fit"]["n_folds"]:
        what = f"only {len(shared['train'])} training stories were heard by all subjects"
        yield "controls.intersubject", what, "lower fit.n_folds or set none"


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
        if name == NAMED:
            what = "the columns of responses with names have this name"
            broken.append((f"regions.{name}", what, "choose another name"))
        if name == VOXELS:
            what = "tables have all voxels under this name"
            broken.append((f"regions.{name}", what, "choose another name"))
        if name == TRUTH and config["simulate"] is not None:
            what = "simulated subjects have true regions of this name"
            broken.append((f"regions.{name}", what, "choose another name"))
    return broken
