"""What a feature space is: a name, where it comes from, its options, and how it is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from pipeline.embedding.coverage import Lexicon

Source = Literal["stimulus", "responses", "matches"]


@dataclass(frozen=True)
class Kind:
    """A kind of feature space; every module of `pipeline.features` defines one as `KIND`.

    Parameters
    ----------
    name : str
        Its name in configurations.
    source : {"stimulus", "responses", "matches"}
        What it is made from: `compute(story, options)` for the stimulus (words and timing),
        `compute(scores, horizon, options)` for the subject's own BOLD (principal-component scores
        of shape (n_rows, n_components)); kinds made from matches come from `pipeline.matchers`.
        Returns an array of shape (n_rows, n_features).
    fir : bool
        Whether FIR delays apply.
    zscore : {"story", "training"}
        Whether columns are z-scored within each story, or by constants of the training stories
        (as everything must be that is made from BOLD).
    options : mapping
        Options and their defaults.
    resources : tuple of str
        Files that the rule passes in `options` under these names (now: "eng1000", "truth").
    required : tuple of str
        Options that a configuration must set.
    origin : callable, optional
        `origin(options)` names the model that the features were computed with; its answer is
        written beside them.
    lexicon : callable, optional
        `lexicon(options)` gives the lexicon (`pipeline.embedding.coverage`) in which words are
        looked up, for kinds that make zeros of the words that it lacks.
    resumable : bool
        Whether each story is kept as soon as it is done, because all of them take long.
    columns : callable, optional
        `columns(options)` names the columns, which is written beside them.
    by_word : bool
        Whether a word's features are its own, whatever is said around it: words are then points in
        the space of the features (`pipeline.tuning`).
    """

    name: str
    source: Source
    compute: Callable[..., np.ndarray]
    fir: bool = True
    zscore: Literal["story", "training"] = "training"
    options: Mapping[str, Any] = field(default_factory=dict)
    resources: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    origin: Callable[[Mapping[str, Any]], dict[str, str]] | None = None
    lexicon: Callable[[Mapping[str, Any]], Lexicon] | None = None
    resumable: bool = False
    columns: Callable[[Mapping[str, Any]], Sequence[str]] | None = None
    by_word: bool = False
