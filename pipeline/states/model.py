"""The language model that states are taken from."""

from __future__ import annotations

from functools import cache
from typing import Any

from gim.errors import InputError


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


def origin(name: str, dtype: str | None, causal: bool = True) -> dict[str, str]:
    """The model whose weights were loaded: name, architecture, what is read, what pins it."""
    from gim.causal.shape import layer_widths
    from gim.text.hub import name_of, revision_of

    model = load_model(name, dtype, causal)[0]
    if causal:
        _, *widths = layer_widths(model)
        shape = f"{len(widths)} layers of {' or '.join(map(str, dict.fromkeys(widths)))}"
    else:
        shape = "{} embeddings of {}".format(*model.get_input_embeddings().weight.shape)
    about = {"model": name, "name": name_of(name), "model_type": model.config.model_type}
    revision = revision_of(name)
    return about | {"shape": shape} | ({} if revision is None else {"revision": revision})
