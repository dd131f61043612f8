"""Infini-gram matcher: similar next-token distributions of the longest match in a corpus."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from gim.text.tokenizer import Tokenizer, load_tokenizer
from gim.text.words import tokens_of_words
from pipeline.dataset.story import Story
from pipeline.matching.matches import Matches
from pipeline.matching.similarity import OPTIONS as SIMILARITY_OPTIONS
from pipeline.matching.similarity import match_distributions, needed_words

if TYPE_CHECKING:
    from gim.infinigram.query import InfiniGram

OPTIONS: dict[str, Any] = {
    **SIMILARITY_OPTIONS,
    "index": None,  # folder that `gim index` wrote; required
    "tokenizer": None,  # the index's; null: the shipped one
    "context": 1024,  # tokens
    "smoothing": 0.01,  # share of a distribution spread over the vocabulary
}
REQUIRED = ("index",)


@cache
def _load(index: str, tokenizer: str | None) -> tuple[InfiniGram, Tokenizer]:
    from gim.infinigram.query import InfiniGram

    loaded = load_tokenizer(tokenizer)
    return InfiniGram(index, loaded), loaded


def match(
    story: Story, newest: np.ndarray, rng: np.random.Generator, options: Mapping[str, Any]
) -> Matches:
    """Match by what follows the longest suffix of the context in the corpus."""
    from gim.induction.distributions import corpus_distributions, smoothed_similarity

    index, tokenizer = _load(options["index"], options["tokenizer"])
    ids, last = tokens_of_words(tokenizer, story.words["word"].tolist())
    words = needed_words(story, options)
    rows = corpus_distributions(index, ids, last[words], options["context"])
    similarity = smoothed_similarity(options["smoothing"])
    return match_distributions(story, newest, words, rows, similarity, options)
