"""GIM matcher: the earlier moment that, by GIM's encoder, leads to the same next words.

Kim, Mantena et al. 2025 (arXiv 2411.00066): cosine similarity of two states of the encoder stands
for the similarity of the next-word distributions there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.dataset.story import Story
from pipeline.features.encoder import load_encoder, word_vectors
from pipeline.matching.matches import Matches
from pipeline.matching.similarity import OPTIONS as SIMILARITY_OPTIONS
from pipeline.matching.similarity import match_states

OPTIONS: dict[str, Any] = {**SIMILARITY_OPTIONS, "encoder": None}  # null: the shipped encoder


def match(
    story: Story, newest: np.ndarray, rng: np.random.Generator, options: Mapping[str, Any]
) -> Matches:
    """Match each row to the most similar state; similarity is exp(-(1 - cos) / T)."""
    encoder = load_encoder(options["encoder"])
    vectors = word_vectors(story, encoder)
    return match_states(
        story, newest, lambda a, b: encoder.similarity(vectors[a], vectors[b]), options
    )
