"""What GIM makes of each word: how expected it was, and from where. No BOLD enters.

By default GIM reads the story's words alone and switches between copying and fuzzy votes. With
`weighted` surprisal and entropy are those of the model that weighs all evidence instead
(`gim.weighing`), which may know a corpus (`index`), and what each source gave of a word has columns
of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gim.induction.columns import COLUMNS, columns
from pipeline.dataset.story import Story
from pipeline.embedding.expectation import OPTIONS, Expectation, expectations, load_weighing
from pipeline.features.base import Kind
from pipeline.features.encoder import load_encoder

if TYPE_CHECKING:
    from gim.induction.reading import Reading


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

    words = story.words["word"].tolist()
    reading = read(words, load_encoder(options["encoder"]), options["tau"])
    values = columns(reading)
    if options["weighted"]:
        values = weighed_columns(reading, expectations(load_weighing(options), words))
    return story.to_rows(values, options["downsample"])


KIND = Kind(
    "induction",
    "stimulus",
    compute,
    zscore="story",
    options={"downsample": "lanczos", "tau": 2, "weighted": False, **OPTIONS},
    columns=names,
)
