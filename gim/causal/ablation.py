"""What a language model loses without some of its heads.

The causal test of Olsson et al. 2022 (arXiv 2209.11895): induction heads, chosen on repeated random
tokens, are taken out, and the loss on other text is compared with what as many random heads of the
same layers cost. A head is taken out by giving its mean output in its place (mean ablation), so
that later layers get what they are used to.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from gim.causal.attention import projections
from gim.causal.heads import match_mask
from gim.causal.shape import last_logits, text_config
from gim.errors import InputError

Head = tuple[int, int]  # layer, head
EARLY = slice(40, 60)  # tokens of the in-context score, counted from the beginning of a piece,
LATE = 50  # and from its end
SHORTEST = EARLY.stop + LATE + 1  # tokens of a piece
COPIED = 2  # length of a match from which what followed it counts as copied


@torch.inference_mode()
def mean_outputs(model: Any, pieces: list[NDArray[np.int64]]) -> torch.Tensor:
    """Mean of what the heads of each layer hand to the projection, shape (layers, heads * size).

    The first token of a piece, where heads look that find nothing, is left out.
    """
    places = projections(model)
    sums = [torch.zeros(()) for _ in places]
    total = sum(len(piece) - 1 for piece in pieces)

    def add(layer: int) -> Any:
        def hook(_: Any, given: Any) -> None:
            sums[layer] = sums[layer] + given[0][0, 1:].float().sum(0)

        return hook

    hooks = [p.register_forward_pre_hook(add(layer)) for layer, p in enumerate(places)]
    try:
        for piece in pieces:
            last_logits(model, _batch(model, piece), 1)
    finally:
        for hook in hooks:
            hook.remove()
    return torch.stack(sums) / total


@contextmanager
def ablated(model: Any, heads: Sequence[Head], means: torch.Tensor) -> Iterator[None]:
    """Within it, some heads give their mean output whatever they read.

    Parameters
    ----------
    heads : sequence of (layer, head)
    means : float tensor of shape (layers, heads * size)
        From `mean_outputs`; zeros take the heads out altogether.
    """
    places, count = projections(model), text_config(model).num_attention_heads
    by_layer: dict[int, list[int]] = defaultdict(list)
    for layer, head in heads:
        by_layer[layer].append(head)

    def replace(layer: int) -> Any:
        size = means.shape[1] // count
        columns = torch.cat([torch.arange(h * size, (h + 1) * size) for h in by_layer[layer]])

        def hook(_: Any, given: Any) -> Any:
            parts = given[0].clone()
            parts[..., columns] = means[layer, columns].to(parts)
            return (parts, *given[1:])

        return hook

    hooks = [places[layer].register_forward_pre_hook(replace(layer)) for layer in by_layer]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@torch.inference_mode()
def token_losses(model: Any, pieces: list[NDArray[np.int64]]) -> list[NDArray[np.float32]]:
    """Loss at every token of each piece but its first, in nats, arrays of shape (n - 1,)."""
    out = []
    for piece in pieces:
        ids = _batch(model, piece)
        logits = last_logits(model, ids, len(piece))[0, :-1].float()
        loss = torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="none")
        out.append(loss.cpu().numpy())
    return out


def loss_summary(
    losses: list[NDArray[np.float32]], pieces: list[NDArray[np.int64]]
) -> dict[str, float]:
    """Means of `token_losses` that tell what was learnt within the text.

    Returns
    -------
    summary : dict
        ``all``: every token. ``copied``: tokens that followed the longest match, of two tokens or
        more, so that copying predicts them; ``other``: the rest. ``in_context``: loss of the last
        50 tokens of the pieces minus that of tokens 40 to 59 (Olsson et al.: of token 500 minus
        that of token 50); the more negative, the more is learnt.

    Raises
    ------
    InputError
        When a piece is too short, or repeats nothing.
    """
    shortest = min(len(piece) for piece in pieces)
    if shortest < SHORTEST:
        raise InputError(f"a piece of {shortest} tokens: the in-context score needs {SHORTEST}")
    copied = np.concatenate([_copied(piece) for piece in pieces])
    flat = np.concatenate(losses)
    late = np.concatenate([loss[-LATE:] for loss in losses])
    early = np.concatenate([loss[EARLY] for loss in losses])
    if not copied.any():
        raise InputError("no token of the text follows a match of two tokens; give a longer text")
    return {
        "all": float(flat.mean()),
        "copied": float(flat[copied].mean()),
        "other": float(flat[~copied].mean()),
        "in_context": float(late.mean() - early.mean()),
    }


def _copied(piece: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Of every token but the first, whether a copy would have been right."""
    mask, lengths = match_mask(piece)
    follows = [piece[mask[t]] for t in range(len(piece) - 1)]
    right = [token in after for token, after in zip(piece[1:], follows, strict=True)]
    return np.array(right) & (lengths[:-1] >= COPIED)


def random_heads(table: pd.DataFrame, chosen: Sequence[Head], seed: int) -> list[Head]:
    """As many heads of the same layers as those chosen, none of them one of these.

    Where a layer has not enough others, all of the others.
    """
    rng, out = np.random.default_rng(seed), []
    for layer in sorted({layer for layer, _ in chosen}):
        mine = {head for of, head in chosen if of == layer}
        others = [h for h in table.loc[table["layer"] == layer, "head"].tolist() if h not in mine]
        drawn = rng.permutation(others)[: len(mine)]
        out += [(layer, int(head)) for head in drawn]
    return out


def best_heads(table: pd.DataFrame, n: int) -> list[Head]:
    """The ``n`` heads with the greatest prefix matching."""
    rows = table.nlargest(n, "prefix_matching")
    return list(zip(rows["layer"].tolist(), rows["head"].tolist(), strict=True))


def conditions(
    table: pd.DataFrame, sizes: Sequence[int], draws: int, seed: int = 0
) -> list[tuple[str, int, list[Head]]]:
    """Which heads are taken out together: (kind, number of the draw, heads).

    Parameters
    ----------
    table : DataFrame
        From `gim.causal.heads.head_scores`: the heads are chosen by it, on random tokens.
    sizes : sequence of int
        Numbers of best heads; random ones as many as the last of these.
    draws : int
        Of random heads.
    """
    chosen = best_heads(table, sizes[-1])
    random = [random_heads(table, chosen, seed + draw) for draw in range(draws)]
    return [
        ("none", 0, []),
        *(("best", 0, best_heads(table, size)) for size in sizes),
        *(("random", draw, heads) for draw, heads in enumerate(random)),
    ]


def losses_without(
    model: Any, heads: Sequence[Head], means: torch.Tensor, pieces: list[NDArray[np.int64]]
) -> dict[str, float]:
    """`loss_summary` of a model without some heads, on text that did not choose them."""
    with ablated(model, heads, means):
        return loss_summary(token_losses(model, pieces), pieces)


def _batch(model: Any, piece: NDArray[np.int64]) -> torch.Tensor:
    return torch.from_numpy(piece)[None].to(model.device)
