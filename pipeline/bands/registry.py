"""The registry of kinds of bands, and the options of a band with all defaults filled in.

Every module of `pipeline.features` and `pipeline.matchers` is a kind: a new one is found by itself
(docs/extending.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from pipeline import features, matchers
from pipeline.core.schema.validator import band_schema, faults
from pipeline.features.base import Kind, Source
from pipeline.matching.matches import Matching, induction_features

BAND_OPTIONS = {"kind", "n_components"}  # options of every band, beside those of its kind
# Options of bands that may be paths
BAND_PATHS = (
    "encoder",
    "index",
    "tokenizer",
    "model",
    "table",
    "pronunciations",
    "weights",
    "space",
    "path",
)
LAG = "lag"  # the kind of every lag-matched control
THROUGH = "through"  # the kind of bands in which another band's rows stand for passages


@cache
def known_kinds() -> dict[str, Kind]:
    """Every kind of feature space by name, the matchers' among them."""
    return {name: kind_of(name) for name in (*_names(matchers), *_names(features))}


@cache
def kind_of(name: str) -> Kind:
    """Kind by name, which is that of its file: no other is imported.

    Raises
    ------
    KeyError
        If there is none (configurations are checked before this is called).
    """
    if name in _names(matchers):
        return _matcher_kind(name, matcher(name))
    if name in _names(features):
        return import_module(f"{features.__name__}.{name}").KIND
    raise KeyError(name)


def matcher(name: str) -> ModuleType:
    """Module of a matcher."""
    return import_module(f"{matchers.__name__}.{name}")


def matcher_names() -> list[str]:
    """Every matcher but the lag control, which redraws another's matches."""
    return [name for name in _names(matchers) if name != LAG]


@cache
def _names(package: ModuleType) -> tuple[str, ...]:
    """Every kind in a package's folder."""
    return tuple(module.name for module in iter_modules(package.__path__) if module.name != "base")


def _matcher_kind(name: str, module: ModuleType) -> Kind:
    """The kind of feature space that a matcher makes."""
    return Kind(
        name,
        "matches",
        induction_features,
        options={**asdict(Matching()), **module.OPTIONS},
        resources=getattr(module, "RESOURCES", ()),
        required=getattr(module, "REQUIRED", ()),
    )


@dataclass(frozen=True)
class BandOptions:
    """Options of a band, complete.

    Parameters
    ----------
    kind : str
        The kind of feature space or matcher (`pipeline.bands.registry`).
    n_components : int or None
        Leading principal components that take the place of the columns (None: all columns stay).
    own : mapping
        Options of the kind, and in a job the files that it reads.
    """

    kind: str
    n_components: int | None = None
    own: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> BandOptions:
        """From one mapping, as parameters of rules are; `as_mapping` is the way back."""
        own = {key: value for key, value in options.items() if key not in BAND_OPTIONS}
        return cls(options["kind"], options["n_components"], own)

    def as_mapping(self) -> dict[str, Any]:
        """All options side by side."""
        return {"kind": self.kind, "n_components": self.n_components, **self.own}

    @property
    def source(self) -> Source:
        """What the band is made from (`pipeline.features.base.Kind`)."""
        return kind_of(self.kind).source

    @property
    def matching(self) -> Matching:
        """How its matches become features."""
        own: dict[str, Any] = {key: self.own[key] for key in asdict(Matching())}
        lists = {key: tuple(value) for key, value in own.items() if isinstance(value, list)}
        return Matching(**own | lists)

    @property
    def redraws(self) -> str | None:
        """The band whose matches a lag control redraws."""
        return self.own["of"] if self.kind == LAG else None

    @property
    def recalls(self) -> str | None:
        """The band whose passages it uses, if another searches the memory."""
        return self.own.get("of") if self.source == "memory" else None

    @property
    def through(self) -> str | None:
        """The band whose rows stand for passages, if another's do."""
        return self.own.get("band") if self.source == "memory" else None

    @property
    def made_of(self) -> list[str]:
        """The bands that must be there for its features to be made of what a memory found."""
        return [band for band in (self.recalls, self.through) if band]

    @property
    def searches(self) -> bool:
        """Whether it searches a memory of passages; others use what one that does has found."""
        return self.source == "memory" and "of" not in self.own

    @property
    def copies_matches(self) -> bool:
        """Whether it copies what followed matches of its own; controls do not."""
        return self.kind in matcher_names() and not self.own["before"]

    @property
    def copies_single_matches(self) -> bool:
        """Whether it copies what followed one match a row, which permutations can exchange."""
        return self.copies_matches and self.own.get("n_matches", 1) == 1


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
    if kind.source == "memory" and "of" in kind.options and not _searches(features, options):
        what = f"{options.get('of')!r} is not a band that searches a memory of passages"
        return [(f"features.{band}.of", what, "name one of the kind passages")]
    if name == THROUGH and (broken := _broken_through(features, options)):
        key, what, remedy = broken
        return [(f"features.{band}.{key}", what, remedy)]
    allowed = BAND_OPTIONS | set(kind.options)
    unknown = [
        (f"features.{band}.{key}", "unknown option", f"use one of {sorted(allowed)}")
        for key in sorted(set(options) - allowed)
    ]
    if options.get("memory") in ("corpus", "both") and not options.get("corpus"):
        return [(f"features.{band}.corpus", "the memory has no corpus", "give its files")]
    if options.get("weighting") == "pursuit" and options.get("n_matches", 1) is None:
        what = "a pursuit takes a few passages, not all"
        return [(f"features.{band}.n_matches", what, "give a number, such as 10")]
    missing = [
        (f"features.{band}.{key}", f"{name} needs this option", "set it (docs/configuration.md)")
        for key in kind.required
        if not {**kind.options, **options}[key]
    ]
    wrong = [
        (f"features.{band}{place[1:]}", what, remedy)
        for place, what, remedy in faults(options, band_schema())
    ]
    return unknown + missing + wrong


def _kind_name(features: dict[str, Any], band: str) -> str:
    """Kind of a band: as given, or its name; `Mlag` is the lag control of the band `M`."""
    name = features.get(band, {}).get("kind", band)
    if name not in known_kinds() and name.endswith(LAG) and name.removesuffix(LAG) in features:
        return LAG
    return name


def _searches(features: dict[str, Any], options: dict[str, Any]) -> bool:
    """Whether the band that `of` names searches a memory."""
    name = _kind_name(features, options["of"]) if options.get("of") in features else ""
    return name in known_kinds() and {"memory", "n_passages"} <= set(kind_of(name).options)


def _broken_through(
    features: dict[str, Any], options: dict[str, Any]
) -> tuple[str, str, str] | None:
    """Option, problem and remedy, if a band has no rows at all passages, or rows made of BOLD."""
    other, remedy = options.get("band"), "name a band of the stimulus, or one of the kind meaning"
    name = _kind_name(features, other) if other in list(features) else ""
    if name not in known_kinds():
        return "band", f"{other!r} is not a band whose rows could stand for passages", remedy
    if kind_of(name).source not in ("stimulus", "memory"):
        return "band", f"{other!r} is made of what was recorded, not of words", remedy
    if name == THROUGH or _searches(features, {"of": other}):
        return "band", f"{other!r} says nothing of its own: its rows are others' passages", remedy
    searching = {**kind_of(_kind_name(features, options["of"])).options, **features[options["of"]]}
    if searching["memory"] != "training":
        what = f"{options['of']!r} has passages of a corpus, where bands have no rows"
        return "of", what, "name one whose memory is training"
    return None


def _redrawn(features: dict[str, Any], band: str) -> str:
    """Band whose matches the lag control `band` redraws."""
    return features[band].get("of") or band.removesuffix(LAG)


def _is_matcher(features: dict[str, Any], band: str) -> bool:
    """Whether a band is made from matches of its own, which a lag control can redraw."""
    name = _kind_name(features, band) if band in features else ""
    return name != LAG and name in known_kinds() and kind_of(name).source == "matches"


def band_options(config: dict[str, Any], band: str) -> BandOptions:
    """Options of a band: its kind's defaults, the config's, and, for lag controls, `of`.

    A lag control has the matching options of the band that it redraws, unless it sets its own. The
    horizon of bands made from BOLD is filled in.
    """
    given = config["features"][band]
    name = _kind_name(config["features"], band)
    options = {"n_components": None, **kind_of(name).options}
    if name == LAG:
        of = _redrawn(config["features"], band)
        inherited = band_options(config, of)
        options |= {key: inherited.own[key] for key in asdict(Matching())}
        options |= {"n_components": inherited.n_components, "of": of}
    options |= {**given, "kind": name}
    if "horizon" in options and options["horizon"] is None:
        options["horizon"] = config["horizon"]
    return BandOptions.read(options)
