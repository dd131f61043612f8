"""Teacher matcher: similar next-token distributions of a causal language model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from gim.text.tokenizer import load_tokenizer
from gim.text.words import tokens_of_words
from pipeline.dataset.story import Story
from pipeline.matching.matches import Matches
from pipeline.matching.similarity import OPTIONS as SIMILARITY_OPTIONS
from pipeline.matching.similarity import match_distributions, needed_words

if TYPE_CHECKING:
    from gim.causal.divergence import Distance
    from gim.causal.teacher import TeacherMetric

OPTIONS: dict[str, Any] = {
    **SIMILARITY_OPTIONS,
    "model": None,  # a Hugging Face causal language model, folder, name or GGUF file; required
    "context": 1024,  # tokens (or the model's positions): each word sees half of them or more
    "distance": "symmetric_kl",  # or "jsd", which needs a temperature
    "temperature": None,
}
REQUIRED = ("model",)


@cache
def _load(model: str, distance: Distance, temperature: float | None, context: int) -> TeacherMetric:
    from gim.causal.model import load_causal
    from gim.causal.teacher import TeacherMetric

    tokenizer = load_tokenizer(model)
    return TeacherMetric(load_causal(model), tokenizer, distance, temperature, context // 2)


def match(
    story: Story, newest: np.ndarray, rng: np.random.Generator, options: Mapping[str, Any]
) -> Matches:
    """Match by the model's distribution after each state; similarity is exp(-D / temperature)."""
    teacher = _load(*(options[k] for k in ("model", "distance", "temperature", "context")))
    ids, last = tokens_of_words(teacher.tokenizer, story.words["word"].tolist())
    words = needed_words(story, options)
    rows = teacher.log_probs(ids, last[words])
    return match_distributions(story, newest, words, rows, teacher.similarity, options)
