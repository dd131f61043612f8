"""Checks of the stories' words against the lexicons that bands look them up in."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.bands.registry import band_options, kind_of
from pipeline.config.models import used_bands
from pipeline.config.results import Results
from pipeline.core.errors import Findings, ProblemError, some
from pipeline.dataset.grid import whole_story
from pipeline.embedding.coverage import Coverage, Lexicon, coverage

MIN_WORDS = 10  # of fewer no share can be told
N_SHOWN = 5  # words


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """A lexicon, and how many words of each story it knows.

    Parameters
    ----------
    path : str
        The lexicon.
    bands : tuple of str
        Bands that look words up in it.
    vocab : sequence of str
        Its words.
    stories : mapping of str to Coverage
        By story; blocks of one story stand under its name.
    """

    path: str
    bands: tuple[str, ...]
    vocab: Sequence[str]
    stories: Mapping[str, Coverage]

    def rows(self) -> list[dict[str, Any]]:
        """A row a story, as the report shows them."""
        return [
            {
                "bands": ", ".join(self.bands), "story": story, "n_tokens": each.n_tokens,
                "tokens": each.tokens, "n_types": each.n_types, "types": each.types,
            }
            for story, each in self.stories.items()
        ]  # fmt: skip


def lookups(
    config: dict[str, Any], words: Mapping[str, Sequence[str]], *, built: bool
) -> list[Lookup]:
    """How many words of the stories the lexicons of the run's bands know.

    Lexicons that cannot be read are left to `pipeline.validation.embedding`.

    Parameters
    ----------
    config : dict
        Complete configuration.
    words : mapping of str to sequence of str
        Words of each story, or block of one.
    built : bool
        Whether what the run builds has been built.
    """
    stories = {whole_story(name, config["blocks"]): own for name, own in words.items()}
    found = []
    for path, bands in _lexicons(config, built).items():
        lexicon = next(iter(bands.values()))
        known = {story: coverage(lexicon, own) for story, own in stories.items()}
        found.append(Lookup(path=path, bands=tuple(bands), vocab=lexicon.vocab, stories=known))
    return found


def _lexicons(config: dict[str, Any], built: bool) -> dict[str, dict[str, Lexicon]]:
    """Lexicons of the run's bands, by their path, then band."""
    files = Results(config)
    found: dict[str, dict[str, Lexicon]] = {}
    for band in used_bands(config):
        options, resources = band_options(config, band), files.resources(band)
        lexicon = kind_of(options.kind).lexicon
        is_made = any(Path(file).is_relative_to(files.folder) for file in resources.values())
        if lexicon is None or (is_made and not built):
            continue
        path = ", ".join(resources.values()) or f"features.{band}"
        try:
            read = lexicon({**options.own, **resources})
        except ProblemError:
            continue
        found.setdefault(path, {})[band] = read
    return found


def check_coverage(found: Sequence[Lookup], bounds: Mapping[str, float]) -> Findings:
    """Find lexicons that know too few words of some stories; what each knows is logged.

    Parameters
    ----------
    found : sequence of Lookup
        Of `lookups`.
    bounds : mapping
        `coverage` of the configuration.
    """
    findings = Findings()
    for lookup in found:
        for row in lookup.rows():
            logging.info(
                "words of %(story)s: the lexicon of %(bands)s knows %(tokens).1f %% of "
                "%(n_tokens)d words, %(types).1f %% of %(n_types)d different ones",
                row | {key: 100 * row[key] for key in ("tokens", "types")},
            )
        judged = {s: c for s, c in lookup.stories.items() if c.n_tokens >= MIN_WORDS}
        refused = [s for s, c in judged.items() if c.tokens < bounds["error"]]
        doubted = [s for s, c in judged.items() if bounds["error"] <= c.tokens < bounds["warning"]]
        remedy = (
            "take a lexicon of the stories' language (`eng1000.corpora`) and the tier or column of "
            "their words (`transcripts`)"
        )
        if refused:
            place, what = _place_and_what(lookup, refused)
            findings.problem(lookup.path, place, what, f"{remedy}, or lower `coverage.error`")
        if doubted:
            place, what = _place_and_what(lookup, doubted)
            findings.warn(lookup.path, place, what, f"nothing, if these are names; else {remedy}")
    return findings


def _place_and_what(lookup: Lookup, names: Sequence[str]) -> tuple[str, str]:
    """Of which stories a lexicon knows few words, and what these and its own words look like."""
    stories = [lookup.stories[name] for name in names]
    shares = sorted(each.tokens for each in stories)
    unknown = dict.fromkeys(word for each in stories for word in each.unknown[:N_SHOWN])
    lacking, own = (", ".join(map(repr, list(w)[:N_SHOWN])) for w in (unknown, lookup.vocab))
    known = dict.fromkeys([f"{shares[0]:.0%}", f"{shares[-1]:.0%}"])
    what = f"it knows {' to '.join(known)} of the words, not {lacking}; its own are such as {own}"
    return f"words of {some(names)}", what
