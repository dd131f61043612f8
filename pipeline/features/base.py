"""What a feature space is: a name, where it comes from, its options, and how it is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.embedding.coverage import Lexicon
from pipeline.matching.matches import Matches

Source = Literal["stimulus", "responses", "matches", "recording", "memory"]


@dataclass(frozen=True)
class Kind:
    """A kind of feature space; every module of `pipeline.features` defines one as `KIND`.

    Parameters
    ----------
    name : str
        Its name in configurations.
    source : {"stimulus", "responses", "matches", "recording", "memory"}
        What it is made from: `compute(story, options)` for the stimulus (words and timing),
        `compute(scores, horizon, options)` for the subject's own BOLD (principal-component scores
        of shape (n_rows, n_components)), `compute(path, grid, options)` for what the scan measured
        beside the brain; kinds made from matches come from `pipeline.matchers`.
        Returns an array of shape (n_rows, n_features). Those made from a memory of passages
        (`pipeline.recall`) get the words of passages, `compute(there, followed, options)`, and
        return an array of shape (n_passages, n_features), of which a row has the mean over its
        passages; or None, if the passages themselves are the columns, or another band's rows stand
        for them (`pipeline.features.through`).
    fir : bool
        Whether FIR delays apply.
    zscore : {"story", "training"}
        Whether columns are z-scored within each story, or by constants of the training stories
        (as everything must be that is made from BOLD).
    options : mapping
        Options and their defaults.
    resources : tuple of str
        Files that the rule passes in `options` under these names (now: "eng1000", "states",
        "truth").
    required : tuple of str
        Options that a configuration must set.
    origin : callable, optional
        `origin(options)` names the model that the features were computed with; its answer is
        written beside them.
    lexicon : callable, optional
        `lexicon(options)` gives the lexicon (`pipeline.embedding.coverage`) in which words are
        looked up, for kinds that make zeros of the words that it lacks.
    columns : callable, optional
        `columns(options)` names the columns, or gives None; the names are written beside them.
    readable : bool
        Whether the columns mean something that can be said in words. Black boxes and controls do
        not: no model called `readable` may have them, nor a band through which they are seen.
    evidence : callable, optional
        `evidence(story, options)` gives the earlier moments that the features of each row rest on,
        as `pipeline.matching.matches.Matches`, to be shown; no feature is made of it.
    by_word : bool
        Whether a word's features are its own, whatever is said around it: words are then points in
        the space of the features (`pipeline.tuning`).
    """

    name: str
    source: Source
    compute: Callable[..., Any]
    fir: bool = True
    zscore: Literal["story", "training"] = "training"
    options: Mapping[str, Any] = field(default_factory=dict)
    resources: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    origin: Callable[[Mapping[str, Any]], dict[str, str]] | None = None
    lexicon: Callable[[Mapping[str, Any]], Lexicon] | None = None
    columns: Callable[[Mapping[str, Any]], Sequence[str] | None] | None = None
    evidence: Callable[[Any, Mapping[str, Any]], Matches] | None = None
    readable: bool = True
    by_word: bool = False
