"""The expected word minus the one that came, as Eng1000 vectors. No BOLD enters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.dataset.story import Story
from pipeline.features.base import Kind
from pipeline.features.encoder import load_encoder
from pipeline.features.eng1000 import basis_names, lexicon


def compute(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """Mean vector of the words GIM expected minus the actual word's, (n_rows, n_basis).

    Zero for words before which there is nothing to copy from.
    """
    from gim.induction.reading import read

    words = story.words
    reading = read(words["word"].tolist(), load_encoder(options["encoder"]), options["tau"])
    vectors = lexicon(options).vectors(np.array(reading.vocabulary, dtype=object))
    some = reading.expected.sum(axis=1, keepdims=True)
    values = reading.expected @ vectors - some * vectors[reading.ids]
    return story.to_rows(values, options["downsample"])


KIND = Kind(
    "mismatch",
    "stimulus",
    compute,
    zscore="story",
    options={"downsample": "lanczos", "encoder": None, "tau": 2},
    resources=("eng1000",),
    lexicon=lexicon,
    columns=basis_names,
)
