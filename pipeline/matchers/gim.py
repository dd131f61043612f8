"""GIM matcher: the earlier moment that, by GIM's encoder, leads to the same next words.

Kim, Mantena et al. 2025 (arXiv 2411.00066): cosine similarity of two states of the encoder stands
for the similarity of the next-word distributions there.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from gim.text.words import join_words
from pipeline.dataset.story import Story
from pipeline.matching import Matches
from pipeline.similarity import OPTIONS as SIMILARITY_OPTIONS
from pipeline.similarity import match_states

if TYPE_CHECKING:
    from gim.encoder.encoder import Encoder

OPTIONS: dict[str, Any] = {**SIMILARITY_OPTIONS, "encoder": None}  # null: the shipped encoder


@cache
def load_encoder(path: str | None) -> Encoder:
    """An encoder by folder, or the one that is shipped; loaded once a job."""
    from gim.encoder.encoder import Encoder

    return Encoder.from_pretrained(path)


def word_vectors(story: Story, encoder: Encoder) -> np.ndarray:
    """Unit vector of the encoder after every word, array of shape (n_words, dim)."""
    return encoder.vectors(*join_words(story.words["word"].tolist()))


def match(
    story: Story, newest: np.ndarray, rng: np.random.Generator, options: dict[str, Any]
) -> Matches:
    """Match each row to the most similar state; similarity is exp(-(1 - cos) / T)."""
    encoder = load_encoder(options["encoder"])
    vectors = word_vectors(story, encoder)
    return match_states(
        story, newest, lambda a, b: encoder.similarity(vectors[a], vectors[b]), options
    )
