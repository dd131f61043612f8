"""Induction heads of causal language models: prefix matching and copying of every head.

Olsson et al. 2022 (arXiv 2209.11895): on random tokens repeated once, an induction head at the
second occurrence of a token looks at the token after the first one (prefix matching) and raises the
logit of what it looks at (copying). On a text the same is asked where exact induction finds a
match. What depends on such heads is in `gim.causal.ablation`.
"""

from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from gim.causal.attention import projections, read_attention
from gim.causal.shape import max_context, text_config, vocabulary_size
from gim.errors import InputError
from gim.induction.exact import ExactInduction


def repeated_tokens(model: Any, sequences: int, length: int, seed: int) -> torch.Tensor:
    """Random tokens followed by themselves, shape (sequences, 2 * length)."""
    length = max_context(model, 2 * length) // 2
    rng = np.random.default_rng(seed)
    size = vocabulary_size(model)
    # Without repeats within the half where the vocabulary allows: one earlier place each.
    rows = [rng.choice(size, length, replace=size < length) for _ in range(sequences)]
    return torch.tensor(np.array(rows)).repeat(1, 2).to(model.device)


@torch.inference_mode()
def head_scores(model: Any, *, sequences: int = 8, length: int = 50, seed: int = 0) -> pd.DataFrame:
    """Prefix-matching and copying score of every head on repeated random tokens.

    Parameters
    ----------
    model : a Hugging Face causal language model
    sequences, length : int
        Number of sequences, and of random tokens before the repetition.

    Returns
    -------
    table : DataFrame
        ``layer head prefix_matching copying``. Prefix matching: mean attention from the second
        half to the token after the first occurrence. Copying: the share of the raised logits of the
        sequence's tokens (above their mean, on the head's direct path to the logits) that falls on
        the token most attended to; 1 / length by chance. The final norm's division by the size of
        the residual stream leaves shares as they are; its centring and weights are applied.
    """
    ids = repeated_tokens(model, sequences, length, seed)
    half = ids.shape[1] // 2
    weights, mixed = read_attention(model, ids)
    rows = []
    second = torch.arange(half, 2 * half, device=ids.device)
    for layer, (looks, parts) in enumerate(zip(weights, mixed, strict=True)):
        matching = looks[:, :, second, second - half + 1].float().mean((0, 2))
        looked = looks[:, :, second].argmax(-1) % half  # place of that token in the half
        copying = _copying(model, layer, parts[:, second], ids[:, :half], looked)
        for head in range(looks.shape[1]):
            rows.append((layer, head, float(matching[head]), float(copying[head])))
    return pd.DataFrame(rows, columns=["layer", "head", "prefix_matching", "copying"])


@torch.inference_mode()
def text_scores(model: Any, pieces: list[NDArray[np.int64]]) -> pd.DataFrame:
    """The two scores on natural text, where a token has a match before it.

    Parameters
    ----------
    pieces : list of int arrays
        Pieces of text that are read each on its own.

    Returns
    -------
    table : DataFrame
        ``layer head text_matching text_copying``. Matching: mean attention on all tokens that
        followed the longest match together. Copying: as in `head_scores`, among the kinds of
        tokens of the piece; the first token, where heads look that find nothing, is left out.

    Raises
    ------
    InputError
        When no piece repeats anything.
    """
    total: int = 0
    sums: Any = np.zeros((2, 1))
    for piece in pieces:
        mask, lengths = match_mask(piece)
        rows = torch.from_numpy(np.flatnonzero(lengths)).to(model.device)
        if len(rows) == 0:
            continue
        weights, mixed = read_attention(model, torch.from_numpy(piece)[None])
        kinds, places = np.unique(piece, return_inverse=True)
        known = torch.from_numpy(kinds)[None].to(model.device)
        follows = torch.from_numpy(mask).to(model.device)[rows]
        place = torch.from_numpy(places).to(model.device)
        mine = []
        for layer, (looks, parts) in enumerate(zip(weights, mixed, strict=True)):
            on = (looks[0][:, rows].float() * follows).sum(-1).mean(1)
            looked = place[looks[0][:, rows, 1:].argmax(-1) + 1]
            copied = _copying(model, layer, parts[:, rows], known, looked[None])
            mine.append(torch.stack([on, copied]))
        sums = sums + len(rows) * torch.cat(mine, dim=1).cpu().numpy()
        total += len(rows)
    if total == 0:
        raise InputError("the text repeats nothing, so that there is no match to look at")
    matching, copying = sums / total
    heads = text_config(model).num_attention_heads
    place_of = np.divmod(np.arange(len(matching)), heads)
    scores = {"text_matching": matching, "text_copying": copying}
    return pd.DataFrame({"layer": place_of[0], "head": place_of[1], **scores})


def _copying(
    model: Any, layer: int, mixed: torch.Tensor, known: torch.Tensor, looked: torch.Tensor
) -> torch.Tensor:
    """Share of the raised logits of some tokens that is on the one looked at, shape (heads,).

    ``mixed`` (batch, rows, heads * size) are the heads' outputs, ``known`` (batch, m) the tokens,
    ``looked`` (batch, heads, rows) places in these.
    """
    heads = looked.shape[1]
    projection = projections(model)[layer]
    matrix = projection.weight if isinstance(projection, torch.nn.Linear) else projection.weight.T
    unembed = model.get_output_embeddings().weight
    if matrix.shape[0] != unembed.shape[1]:
        raise InputError(
            f"{type(model).__name__}: its blocks write {matrix.shape[0]} numbers, its tokens are "
            f"read from {unembed.shape[1]}: heads have no direct path to the logits"
        )
    tokens = unembed[known]  # (batch, m, width): logits of these tokens only
    size, norm = matrix.shape[1] // heads, _final_norm(model)
    shares = []
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        written = _normed(norm, mixed[..., part] @ matrix[:, part].T)
        logits = (written @ tokens.transpose(1, 2)).float()
        raised = (logits - logits.mean(-1, keepdim=True)).relu()
        on_it = raised.gather(-1, looked[:, head, :, None])[..., 0]
        shares.append((on_it / raised.sum(-1).clamp(min=1e-12)).mean())
    return torch.stack(shares)


def _final_norm(model: Any) -> Any:
    """The norm before the logits: the last one that belongs to no layer; None without one."""
    found = [
        module
        for name, module in model.named_modules()
        if "norm" in type(module).__name__.lower() and not any(map(str.isdigit, name.split(".")))
    ]
    return found[-1] if found else None


def _normed(norm: Any, written: torch.Tensor) -> torch.Tensor:
    """A part of the residual stream after the final norm, up to a factor of its own position."""
    if isinstance(norm, torch.nn.LayerNorm):
        written = written - written.mean(-1, keepdim=True)
    weight = getattr(norm, "weight", None)
    return written if weight is None else written * weight


def match_mask(ids: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Exact induction's evidence at every token of a piece of text.

    Returns
    -------
    mask : bool array of shape (n, n)
        Whether a token (second axis) followed a longest match of the tokens up to the first.
    lengths : int array of shape (n,)
        Of the match; 0 without one.
    """
    mask, induction = np.zeros((len(ids), len(ids)), bool), ExactInduction()
    lengths = np.zeros(len(ids), np.int64)
    for t, token in enumerate(ids.tolist()):
        lengths[t] = induction.push(token)
        if lengths[t]:
            mask[t, induction.matches()] = True
    return mask, lengths
