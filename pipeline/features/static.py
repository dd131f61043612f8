"""Static word vectors: a language model's own embedding of every word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gim.text.words import tokens_of_words
from pipeline.dataset.story import Story
from pipeline.features.base import Kind
from pipeline.states.model import load_model
from pipeline.states.model import origin as model_origin


def compute(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """Mean input embedding of each word's tokens, downsampled, array of shape (n_rows, width)."""
    # Embeddings alone are read: a model that looks ahead will do.
    model, tokenizer, _ = load_model(options["model"], options["dtype"], causal=False)
    ids, last = tokens_of_words(tokenizer, story.words["word"].tolist())
    table = model.get_input_embeddings().weight.detach().float().cpu().numpy()
    word_of = np.searchsorted(last, np.arange(len(ids)))
    sums = np.zeros((len(last), table.shape[1]))
    np.add.at(sums, word_of, table[ids])
    values = sums / np.maximum(np.bincount(word_of, minlength=len(last)), 1)[:, None]
    return story.to_rows(values, options["downsample"])


def origin(options: Mapping[str, Any]) -> dict[str, str]:
    """The model whose embeddings these are."""
    return model_origin(options["model"], options["dtype"], causal=False)


KIND = Kind(
    "static",
    "stimulus",
    compute,
    zscore="story",
    options={"model": None, "dtype": None, "downsample": "lanczos"},
    required=("model",),
    readable=False,
    by_word=True,
    origin=origin,
)
