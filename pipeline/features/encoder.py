"""States of GIM's encoder: what leads to the same next words lies close together."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from gim.text.words import join_words
from pipeline.dataset.story import Story
from pipeline.features.base import Kind

if TYPE_CHECKING:
    from gim.encoder.encoder import Encoder
    from gim.encoder.stream import Output


@cache
def load_encoder(path: str | None) -> Encoder:
    """An encoder by folder, or the one that is shipped; loaded once a job."""
    from gim.encoder.encoder import Encoder

    return Encoder.from_pretrained(path)


def word_vectors(story: Story, encoder: Encoder, output: Output = "vectors") -> np.ndarray:
    """What the encoder says after every word, array of shape (n_words, size of the output)."""
    return encoder.vectors(*join_words(story.words["word"].tolist()), output)


def compute(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """What the encoder says after every word, downsampled, array of shape (n_rows, size)."""
    vectors = word_vectors(story, load_encoder(options["encoder"]), options["output"])
    return story.to_rows(vectors, options["downsample"])


KIND = Kind(
    "encoder",
    "stimulus",
    compute,
    zscore="story",
    options={"downsample": "lanczos", "encoder": None, "output": "vectors"},
    readable=False,
)
