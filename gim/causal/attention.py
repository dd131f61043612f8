"""What the attention heads of a causal language model do: weights, outputs, projections."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from gim.causal.shape import text_config
from gim.errors import InputError

PROJECTIONS = ("o_proj", "c_proj", "out_proj", "dense")


@contextmanager
def _eager(model: Any) -> Iterator[None]:
    """Attention weights are only returned by the plain implementation."""
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)


def projections(model: Any) -> list[Any]:
    """Output projection of every attention layer, in order.

    Raises
    ------
    InputError
        When there is not one in each layer.
    """
    found = [
        module
        for name, module in model.named_modules()
        if name.rsplit(".", 1)[-1] in PROJECTIONS and "attn" in name.rsplit(".", 2)[-2].lower()
    ]
    layers = text_config(model).num_hidden_layers
    if len(found) != layers:
        raise InputError(
            f"found {len(found)} attention output projections in {layers} layers of "
            f"{type(model).__name__}; expected one named {', '.join(PROJECTIONS)} in each"
        )
    return found


@torch.inference_mode()
def read_attention(
    model: Any, ids: torch.Tensor
) -> tuple[tuple[torch.Tensor, ...], list[torch.Tensor]]:
    """Read a batch of tokens.

    Parameters
    ----------
    ids : int tensor of shape (batch, n)

    Returns
    -------
    weights : tensors of shape (batch, heads, n, n), one a layer
        Attention of each token (third axis) to each (fourth).
    mixed : tensors of shape (batch, n, heads * size), one a layer
        What the heads hand to the output projection, head by head.
    """
    mixed: list[torch.Tensor] = []
    hooks = [
        p.register_forward_pre_hook(lambda _, a: mixed.append(a[0])) for p in projections(model)
    ]
    try:
        with _eager(model):
            weights = model(ids.to(model.device), output_attentions=True).attentions
    finally:
        for hook in hooks:
            hook.remove()
    return weights, mixed
