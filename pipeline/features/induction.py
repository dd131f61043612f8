"""What GIM makes of each word: how expected it was, and from where. No BOLD enters.

Surprisal and entropy are those of the model that weighs all evidence (`gim.weighing`), and what
each source gave of a word has columns of its own. It knows the story's words alone, unless it is
given a corpus (`index`). Without `weighted` GIM switches between copying and fuzzy votes, as
published.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gim.induction.columns import COLUMNS, columns
from pipeline.dataset.story import Story
from pipeline.embedding.expectation import (
    OPTIONS,
    Expectation,
    encoded,
    expectations,
    load_weighing,
)
from pipeline.features.base import Kind
from pipeline.features.encoder import load_encoder
from pipeline.matching.matches import NO_MATCH, Matches

if TYPE_CHECKING:
    from gim.induction.reading import Reading

CONTEXT = 4  # words before a place that are kept of it


def weighed_columns(reading: Reading, weighed: Expectation) -> np.ndarray:
    """Columns with surprisal and entropy of the model that weighs, and the shares of its sources.

    Returns
    -------
    array of shape (n_words, n_columns + n_sources)
    """
    values = np.column_stack([columns(reading), weighed.shares])
    values[:, COLUMNS.index("surprisal")] = weighed.surprisal
    values[:, COLUMNS.index("entropy")] = weighed.entropy
    return values


def names(options: Mapping[str, Any]) -> list[str]:
    """What the columns mean."""
    from gim.weighing.weights import SOURCES

    shares = [f"share of {source}" for source in SOURCES] if options["weighted"] else []
    return [*COLUMNS, *shares]


def compute(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """Induction features of a story, array of shape (n_rows, len(COLUMNS)), with shares more."""
    from gim.induction.reading import read

    words, encoder = story.words["word"].tolist(), load_encoder(options["encoder"])
    if options["weighted"]:
        model = load_weighing(options)
        # Both readings are of this text by one encoder, which reads it once.
        of_tokens, of_words = encoded(model, words) or (None, None)
        reading = read(words, encoder, options["tau"], of_words)
        values = weighed_columns(reading, expectations(model, words, states=of_tokens))
    else:
        values = columns(read(words, encoder, options["tau"]))
    return story.to_rows(values, options["downsample"])


def evidence(story: Story, options: Mapping[str, Any]) -> Matches:
    """The earlier moment most alike to each row's: of its words, the one of largest similarity.

    It is the place at which the word came that the most similar earlier state was followed by, if
    that was in an earlier row.
    """
    from gim.induction.reading import read

    words = story.words["word"].tolist()
    reading = read(words, load_encoder(options["encoder"]), options["tau"])
    rows, n_rows = story.grid.row_of(story.words["onset"].to_numpy()), story.grid.n_rows
    here = np.arange(len(words))
    earlier = here - reading.lag
    known = (reading.lag > 0) & (rows >= 0) & (rows < n_rows)
    known &= (rows[earlier] >= 0) & (rows[earlier] < rows)
    to, similarity, context = np.full(n_rows, NO_MATCH), np.zeros(n_rows), [""] * n_rows
    for i in here[known][np.argsort(reading.similarity[known], kind="stable")]:
        row = rows[i]
        to[row], similarity[row] = rows[earlier[i]], reading.similarity[i]
        context[row] = " ".join(words[max(earlier[i] - CONTEXT, 0) : earlier[i]])
    return Matches.hard(to, similarity, context)


KIND = Kind(
    "induction",
    "stimulus",
    compute,
    zscore="story",
    options={"downsample": "lanczos", "tau": 2, "weighted": True, **OPTIONS},
    columns=names,
    evidence=evidence,
)
