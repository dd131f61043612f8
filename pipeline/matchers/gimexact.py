"""Exact GIM matcher: similar next-token distributions of exact induction in the story itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from gim.text.tokenizer import load_tokenizer
from gim.text.words import tokens_of_words
from pipeline.dataset.story import Story
from pipeline.matching.matches import Matches
from pipeline.matching.similarity import OPTIONS as SIMILARITY_OPTIONS
from pipeline.matching.similarity import match_distributions, needed_words

OPTIONS: dict[str, Any] = {
    **SIMILARITY_OPTIONS,
    "tokenizer": None,  # null: the shipped one
    "context": 1024,  # tokens
    "smoothing": 0.01,  # share of a distribution spread over the vocabulary
}

_tokenizer = cache(load_tokenizer)


def match(
    story: Story, newest: np.ndarray, rng: np.random.Generator, options: Mapping[str, Any]
) -> Matches:
    """Match by what followed the longest earlier match of the context, wherever it was."""
    from gim.induction.distributions import exact_distributions, smoothed_similarity

    tokenizer = _tokenizer(options["tokenizer"])
    ids, last = tokens_of_words(tokenizer, story.words["word"].tolist())
    words = needed_words(story, options)
    rows = exact_distributions(ids, last[words], tokenizer.vocab_size, options["context"])
    similarity = smoothed_similarity(options["smoothing"])
    return match_distributions(story, newest, words, rows, similarity, options)
