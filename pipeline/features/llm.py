"""Black box: hidden states of a causal language model after every word."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from gim.errors import InputError
from pipeline.dataset.story import Story
from pipeline.features.base import Kind


@cache
def load_model(name: str, dtype: str | None, causal: bool = True) -> tuple[Any, Any, int | None]:
    """A model on the best device there is, its tokenizer, and its token for the beginning.

    Parameters
    ----------
    causal : bool
        Whether it must read from left to right.

    Raises
    ------
    InputError
        If either cannot be loaded, the model looks ahead, or the tokenizer has ids that the model
        does not know.
    """
    import torch

    from gim.causal.model import load_causal
    from gim.causal.shape import text_config
    from gim.text.tokenizer import load_tokenizer

    tokenizer = load_tokenizer(name)  # the quicker one first
    device = "cuda" if torch.cuda.is_available() else "cpu"
    default = "bfloat16" if device == "cuda" else "float32"
    model = load_causal(name, device, getattr(torch, dtype or default), causal=causal)
    n_known = model.get_input_embeddings().num_embeddings
    if tokenizer.vocab_size > n_known:
        what = f"its tokenizer has {tokenizer.vocab_size} ids, the model only {n_known}"
        raise InputError(f"language model {name!r}: {what}; give the model with its own tokenizer")
    return model, tokenizer, text_config(model).bos_token_id


def compute(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """Hidden states of a story's words, downsampled, (n_rows, n_layers * width)."""
    from gim.causal.hidden import hidden_states

    model, tokenizer, bos = load_model(options["model"], options["dtype"])
    layers = options["layers"] if isinstance(options["layers"], list) else [options["layers"]]
    words = story.words["word"].tolist()
    values = hidden_states(
        model, tokenizer, words, layers, options["context"], bos if options["bos"] else None
    )
    return story.to_rows(values, options["downsample"])


def origin(options: Mapping[str, Any], causal: bool = True) -> dict[str, str]:
    """The model whose weights were loaded: name, architecture, what is read, what pins it."""
    from gim.causal.shape import layer_widths
    from gim.text.hub import name_of, revision_of

    model = load_model(options["model"], options["dtype"], causal)[0]
    if causal:
        _, *widths = layer_widths(model)
        shape = f"{len(widths)} layers of {' or '.join(map(str, dict.fromkeys(widths)))}"
    else:
        shape = "{} embeddings of {}".format(*model.get_input_embeddings().weight.shape)
    found = {
        "model": options["model"],
        "name": name_of(options["model"]),
        "model_type": model.config.model_type,
        "shape": shape,
    }
    revision = revision_of(options["model"])
    return found if revision is None else found | {"revision": revision}


KIND = Kind(
    "llm",
    "stimulus",
    compute,
    zscore="story",
    options={
        "model": None,  # a Hugging Face causal language model, folder or name
        "layers": 8,  # one or several; 0 are the embeddings
        "context": 25,  # words before each word that the model reads (null: all that fit)
        "bos": True,
        "dtype": None,  # null: bfloat16 on a GPU, float32 elsewhere
        "downsample": "lanczos",
    },
    required=("model",),
    origin=origin,
    resumable=True,
)
