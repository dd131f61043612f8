"""The shape of a causal language model: vocabulary, positions, layers.

Configurations name these in many ways: those of models that also see or hear keep them in a part
for text, and some state other widths and depths than the model has, which is why it is asked.
"""

from inspect import signature
from typing import Any

import torch

from gim.errors import InputError

POSITIONS = ("max_position_embeddings", "n_positions", "max_target_positions", "max_seq_len")


def text_config(model: Any) -> Any:
    """The part of a model's configuration that is about the text it writes."""
    return model.config.get_text_config(decoder=True)


def vocabulary_size(model: Any) -> int:
    """Ids that a model predicts."""
    return int(text_config(model).vocab_size)


def max_context(model: Any, wanted: int) -> int:
    """``wanted`` tokens, or fewer if the model's positions end before."""
    config = text_config(model)
    stated = [getattr(config, key, None) for key in POSITIONS]
    limits = [int(limit) for limit in stated if isinstance(limit, int) and limit > 0]
    return min([wanted, *(limit - _unused_positions(model) for limit in limits)])


def _unused_positions(model: Any) -> int:
    """Rows at the beginning of a table of positions that no token gets, as in RoBERTa."""
    for name, module in model.named_modules():
        padding = getattr(module, "padding_idx", None)
        if name.endswith("position_embeddings") and padding is not None:
            return int(padding) + 1
    return 0


def layer_states(model: Any, ids: torch.Tensor, **options: Any) -> tuple[torch.Tensor, ...]:
    """States of a batch of tokens in every layer, each of shape (batch, length, width).

    Layer 0 is the embedding, the last the output of the last block. Widths may differ: OPT-350m's
    last layer has that of its embeddings.

    Raises
    ------
    InputError
        When the model cannot read tokens alone, or has no such states.
    """
    try:
        out = model.base_model(
            ids.to(model.device), output_hidden_states=True, use_cache=False, **options
        )
    except Exception as error:  # whatever a model of another kind wants beside tokens
        what = f"{_kind(model)} cannot be asked for its states ({said(error)})"
        raise InputError(f"{what}; give a model of text") from error
    states = getattr(out, "hidden_states", None)
    if not states or any(state.shape[:-1] != ids.shape for state in states):
        raise InputError(
            f"{_kind(model)} gives no states of shape (text, token, width) for every layer; take a "
            "model of text alone, such as GPT-2 or Llama"
        )
    return states


@torch.inference_mode()
def layer_widths(model: Any) -> list[int]:
    """Width of every layer's states, the embedding's first."""
    ids = torch.zeros((1, min(2, max_context(model, 2))), dtype=torch.long)
    return [state.shape[-1] for state in layer_states(model, ids)]


def last_logits(model: Any, ids: torch.Tensor, n: int) -> torch.Tensor:
    """Logits after the last ``n`` tokens of each text, shape (batch, n, vocabulary).

    A model that can computes no others, and keeps nothing for a next call.
    """
    wishes = {"logits_to_keep": n, "use_cache": False}
    known = signature(model.forward).parameters
    return model(ids, **{key: wishes[key] for key in wishes if key in known}).logits[:, -n:]


def _kind(model: Any) -> str:
    return f"a model of the kind {model.config.model_type} ({type(model).__name__})"


def said(error: Exception) -> str:
    """Type and first line of an error."""
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"
