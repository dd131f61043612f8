"""States of GIM's encoder: what leads to the same next words lies close together."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.dataset.story import Story
from pipeline.features.base import Kind
from pipeline.matchers.gim import load_encoder, word_vectors


def compute(story: Story, options: dict[str, Any]) -> np.ndarray:
    """The encoder's vector after every word, downsampled, array of shape (n_rows, dim)."""
    vectors = word_vectors(story, load_encoder(options["encoder"]))
    return story.to_rows(vectors, options["downsample"])


KIND = Kind(
    "encoder",
    "stimulus",
    compute,
    zscore="story",
    options={"downsample": "lanczos", "encoder": None},
)
