"""Whether heads look where GIM's evidence is: at the tokens that followed a match.

A head that looks at near tokens meets near evidence by chance. So each share is set beside what the
head would have, looked it at its usual distances whatever the text says. The first token, where
heads look that find nothing, is left out.
"""

from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from gim.causal.attention import read_attention
from gim.causal.heads import match_mask
from gim.errors import InputError
from gim.induction.fuzzy import Metric
from gim.text.tokenizer import Tokenizer

BEST = 5  # most similar places that count as fuzzy evidence
Masks = dict[str, NDArray[np.bool_]]  # by kind of evidence, shape (n, n)


def looked_at(model: Any, piece: NDArray[np.int64]) -> NDArray[np.int64]:
    """Position at which each head looks most at every token, shape (layers * heads, n).

    The first token is left out; -1 for the first token itself.
    """
    weights, _ = read_attention(model, torch.from_numpy(piece)[None])
    looks = np.concatenate([w[0].float().cpu().numpy() for w in weights])
    out = looks[:, :, 1:].argmax(-1) + 1 if looks.shape[-1] > 1 else looks[:, :, 0].astype(int)
    out[:, 0] = -1
    return out


def fuzzy_mask(
    piece: NDArray[np.int64], metric: Metric, tokenizer: Tokenizer, best: int
) -> NDArray[np.bool_]:
    """The tokens that followed the ``best`` places most similar to each, shape (n, n)."""
    n = len(piece)
    states = metric.stream(tokenizer).push(piece)
    weights = metric.similarity(states, states)
    mask = np.zeros((n, n), bool)
    for t in range(1, n):
        order = np.argsort(-weights[t, :t], kind="stable")[:best]
        mask[t, order + 1] = True
    return mask


def evidence(piece: NDArray[np.int64], metric: Metric | None, tokenizer: Tokenizer | None) -> Masks:
    """Where GIM copies from in a piece of text, by kind of evidence.

    ``exact``: what followed the longest match. With a metric also ``fuzzy``, what followed the five
    most similar places, and ``fuzzy_alone``: of the most similar place where that has another token
    than the text's last, so that no match of any length is there.
    """
    exact, _ = match_mask(piece)
    if metric is None or tokenizer is None:
        return {"exact": exact}
    nearest = fuzzy_mask(piece, metric, tokenizer, 1)
    several = fuzzy_mask(piece, metric, tokenizer, BEST)
    nearest[:, 1:] &= piece[:, None] != piece[:-1]
    return {"exact": exact, "fuzzy": several, "fuzzy_alone": nearest}


def overlap(looked: list[NDArray[np.int64]], masks: list[Masks]) -> pd.DataFrame:
    """How often heads look at evidence, and how often they would by distance alone.

    Parameters
    ----------
    looked : list of int arrays of shape (heads, n)
        From `looked_at`, one a piece of text.
    masks : list of Masks

    Returns
    -------
    table : DataFrame
        One row a head; per kind of evidence ``KIND``, the share of the tokens that have any at
        which the head looks at it, and ``KIND_chance``: the same for a position at a distance
        drawn from the head's own distances over all texts, as far as the text goes back.

    Raises
    ------
    InputError
        When a kind of evidence never occurs.
    """
    longest = max(part.shape[1] for part in looked)
    distances = np.zeros((len(looked[0]), longest))
    for part in looked:
        for head, places in enumerate(np.arange(1, part.shape[1]) - part[:, 1:]):
            distances[head] += np.bincount(places, minlength=longest)
    columns: dict[str, NDArray[np.float64]] = {}
    for kind in masks[0]:
        hits, chance, total = np.zeros(len(distances)), np.zeros(len(distances)), 0
        for part, of in zip(looked, masks, strict=True):
            mask = of[kind].copy()
            mask[:, 0] = False  # the first token is not looked at
            rows = np.flatnonzero(mask.any(1))
            hits += mask[rows, part[:, rows]].sum(1)
            chance += _by_distance(distances, mask, rows).sum(1)
            total += len(rows)
        if total == 0:
            raise InputError(f"the text has no {kind} evidence, so that there is nothing to meet")
        columns |= {kind: hits / total, f"{kind}_chance": chance / total}
    return pd.DataFrame(columns)


def text_overlap(
    model: Any,
    pieces: list[NDArray[np.int64]],
    metric: Metric | None = None,
    tokenizer: Tokenizer | None = None,
) -> pd.DataFrame:
    """`overlap` of a model's heads with the evidence in some pieces of text."""
    looked = [looked_at(model, piece) for piece in pieces]
    return overlap(looked, [evidence(piece, metric, tokenizer) for piece in pieces])


def _by_distance(
    distances: NDArray[np.float64], mask: NDArray[np.bool_], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Chance of meeting the mask in some rows by distance alone, shape (heads, len(rows))."""
    out = np.empty((len(distances), len(rows)))
    for i, t in enumerate(rows.tolist()):
        possible = distances[:, :t]  # back to the second token
        met = possible @ mask[t, t:0:-1]
        out[:, i] = met / np.maximum(possible.sum(1), 1e-300)
    return out
