"""Induction heads of causal language models.

Olsson et al. 2022 (arXiv 2209.11895): on random tokens repeated once, an induction head at the
second occurrence of a token looks at the token after the first one (prefix matching) and raises the
logit of what it looks at (copying).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from gim.causal.shape import last_logits, max_context, text_config, vocabulary_size
from gim.errors import InputError
from gim.files import atomic_file, write_json, write_text
from gim.induction.exact import ExactInduction

PROJECTIONS = ("o_proj", "c_proj", "out_proj", "dense")
EARLY, LATE = 50, 500  # tokens of the in-context-learning score


@contextmanager
def _eager(model: Any) -> Iterator[None]:
    """Attention weights are only returned by the plain implementation."""
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)


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
    inputs: list[torch.Tensor] = []
    projections = _projections(model)
    hooks = [p.register_forward_pre_hook(lambda _, a: inputs.append(a[0])) for p in projections]
    try:
        with _eager(model):
            attentions = model(ids, output_attentions=True).attentions
    finally:
        for hook in hooks:
            hook.remove()
    rows = []
    second = torch.arange(half, 2 * half, device=ids.device)
    for layer, (weights, mixed, projection) in enumerate(
        zip(attentions, inputs, projections, strict=True)
    ):
        matching = weights[:, :, second, second - half + 1].float().mean((0, 2))
        copying = _copying(model, ids, weights, mixed, projection, second)
        for head in range(weights.shape[1]):
            rows.append((layer, head, float(matching[head]), float(copying[head])))
    return pd.DataFrame(rows, columns=["layer", "head", "prefix_matching", "copying"])


def _projections(model: Any) -> list[Any]:
    """Output projection of every attention layer, in order."""
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


def _copying(model, ids, weights, mixed, projection, second) -> torch.Tensor:
    """Share of raised logits on the token most attended to, by head: shape (heads,)."""
    heads = weights.shape[1]
    matrix = projection.weight if isinstance(projection, torch.nn.Linear) else projection.weight.T
    unembed = model.get_output_embeddings().weight
    if matrix.shape[0] != unembed.shape[1]:
        raise InputError(
            f"{type(model).__name__}: its blocks write {matrix.shape[0]} numbers, its tokens are "
            f"read from {unembed.shape[1]}: heads have no direct path to the logits"
        )
    half = ids.shape[1] // 2
    tokens = unembed[ids[:, :half]]  # (batch, half, width): logits of these tokens only
    size, norm = matrix.shape[1] // heads, _final_norm(model)
    shares = []
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        written = _normed(norm, mixed[:, second][..., part] @ matrix[:, part].T)
        logits = (written @ tokens.transpose(1, 2)).float()
        raised = (logits - logits.mean(-1, keepdim=True)).relu()
        looked = weights[:, head, second].argmax(-1) % half  # place of that token in the half
        on_it = raised.gather(-1, looked[..., None])[..., 0]
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


@torch.inference_mode()
def in_context_score(model: Any, ids: NDArray[np.int64], windows: int = 32) -> float:
    """Loss at token 500 minus loss at token 50, in nats; the more negative, the more is learnt.

    Raises
    ------
    InputError
        When the text or the model's positions are too short.
    """
    limit = max_context(model, LATE + 1)
    if limit <= LATE or len(ids) <= LATE:
        raise InputError(
            f"the in-context-learning score needs {LATE + 1} tokens of text and of positions; "
            f"there are {len(ids)} and {limit}"
        )
    starts = np.arange(0, len(ids) - LATE, LATE + 1)[:windows]
    rows = torch.tensor(np.stack([ids[s : s + LATE + 1] for s in starts]), device=model.device)
    loss = []
    for place in (LATE, EARLY):
        part = [last_logits(model, r[None, :place], 1)[0, -1].float() for r in rows]
        loss.append(torch.nn.functional.cross_entropy(torch.stack(part), rows[:, place]))
    return float(loss[0] - loss[1])


@torch.inference_mode()
def match_agreement(model: Any, ids: NDArray[np.int64], context: int = 256) -> NDArray[np.float64]:
    """How often each head looks where GIM copies from.

    Of the positions where exact induction finds a match, the share at which the head's greatest
    attention is on a token that followed a match.

    Returns
    -------
    share : float array of shape (layers * heads,), ordered as in `head_scores`
    """
    context = max_context(model, context)
    hits, total = 0.0, 0
    with _eager(model):
        for begin in range(0, len(ids), context):
            piece = np.asarray(ids[begin : begin + context])
            target, rows = _match_mask(piece)
            if not rows.any():
                continue
            tokens = torch.tensor(piece, device=model.device)[None]
            attentions = model(tokens, output_attentions=True).attentions
            looked = torch.cat([a[0] for a in attentions]).argmax(-1).cpu().numpy()
            hit = target[np.arange(len(piece)), looked]
            hits = hits + hit[:, rows].sum(1)
            total += int(rows.sum())
    if total == 0:
        raise InputError("the text repeats nothing, so that there is no match to compare with")
    return np.asarray(hits) / total


def _match_mask(ids: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(n, n): position followed a match; (n,): there was a match at all."""
    mask = np.zeros((len(ids), len(ids)), bool)
    induction = ExactInduction()
    for t, token in enumerate(ids):
        if induction.push(int(token)):
            mask[t, induction.matches()] = True
    return mask, np.asarray(mask.any(1))


def write_heads(table: pd.DataFrame, out: str | Path, extra: dict) -> None:
    """Write ``heads.tsv``, ``heads.json`` and the heat map ``heads.png`` into a directory."""
    folder = Path(out)
    text = table.to_csv(sep="\t", index=False, float_format="%.6g", lineterminator="\n")
    write_text(folder / "heads.tsv", text)
    write_json(folder / "heads.json", {**extra, "heads": table.to_dict("records")})
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = [name for name in table.columns if name not in ("layer", "head")]
    figure = Figure(figsize=(3.6 * len(names), 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    for axis, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        grid = table.pivot_table(index="layer", columns="head", values=name)
        image = axis.imshow(grid, vmin=0, vmax=1, cmap="viridis", aspect="auto")
        axis.set(title=name.replace("_", " "), xlabel="head", ylabel="layer")
        axis.set_xticks(range(grid.shape[1]))
        axis.set_yticks(range(grid.shape[0]))
        figure.colorbar(image, ax=axis)
    with atomic_file(folder / "heads.png") as temporary:
        figure.savefig(temporary, format="png", dpi=150)
