"""Black box: hidden states of a causal language model after every word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.dataset.story import Story
from pipeline.features.base import Kind
from pipeline.states.compute import band_states
from pipeline.states.file import StatesFile
from pipeline.states.model import origin as model_origin


def compute(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """Hidden states of a story's words, downsampled, (n_rows, n_layers * width)."""
    return story.to_rows(band_states(story, options), options["downsample"])


def origin(options: Mapping[str, Any]) -> dict[str, str]:
    """The model whose states these are."""
    if path := options.get("states"):
        return StatesFile(path).origin()
    return model_origin(options["model"], options["dtype"])


KIND = Kind(
    "llm",
    "stimulus",
    compute,
    zscore="story",
    readable=False,
    options={
        "model": None,  # a Hugging Face causal language model, folder, name or GGUF file
        "layers": 8,  # one or several; 0 are the embeddings
        "context": 25,  # words before each word that the model reads (null: all that fit)
        "step": 1,  # words between the beginnings of windows: more sight than `context`, less work
        "pool": "last",
        "bos": True,
        "dtype": None,  # null: bfloat16 on a GPU, float32 elsewhere
        "downsample": "lanczos",
    },
    resources=("states",),
    required=("model",),
    origin=origin,
)
