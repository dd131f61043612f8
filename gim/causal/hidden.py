"""Hidden states of a causal language model after every word of a text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from gim.causal.shape import last_logits, layer_states, layer_widths, max_context
from gim.errors import InputError
from gim.text.tokenizer import Tokenizer
from gim.text.words import tokens_of_words

Pool = Literal["last", "mean"]
BATCH_TOKENS = 8192  # tokens in one forward pass, padding included

LOGIT_ROWS = 512  # tokens whose logits are held at once


@dataclass(frozen=True)
class Window:
    """Tokens ``begin`` to ``end - 1`` of a text, and the words whose last tokens are wanted."""

    begin: int
    end: int
    words: tuple[int, ...]


def word_windows(
    last: NDArray[np.int64], context: int | None, longest: int | None, step: int = 1
) -> list[Window]:
    """What a model reads for every word: the word and words before it.

    Contexts that only grow (those that begin with the text) share one window: causal attention
    makes a word's state the same as if the text ended there. Contexts that slide are read anew,
    since dropping the first token changes every state after it.

    Parameters
    ----------
    last : int array of shape (n_words,)
        Index of each word's last token.
    context : int or None
        Words of context; None for all there are.
    longest : int or None
        Tokens that the model can read; longer windows lose their beginning.
    step : int
        Windows begin at every so many words, so that each word sees ``context`` to ``context + step
        - 1`` words (fewer where the model can read no more), and each token is read about ``1 +
        context / step`` times. With 1 each word sees exactly ``context``.
    """
    first = np.append(0, last[:-1] + 1)
    words = np.arange(len(last))
    begin = np.zeros_like(first)
    if context is not None:
        begin = first[np.maximum(words - context, 0) // step * step]
    if longest is not None:
        begin = _shortened(begin, first, last, longest, step)
    windows = []
    starts, at = np.unique(begin, return_index=True)
    for start, group in zip(starts, np.split(words, at[1:]), strict=True):
        windows.append(Window(int(start), int(last[group[-1]]) + 1, tuple(group.tolist())))
    return windows


def _shortened(
    begin: NDArray, first: NDArray, last: NDArray, longest: int, step: int
) -> NDArray[np.int64]:
    """Beginnings of windows that a model can read: later ones at the steps where there are any."""
    least = last + 1 - longest
    if step == 1:
        return np.maximum(begin, least)
    starts = first[::step]
    at = np.searchsorted(starts, least)
    later = np.append(starts, last[-1] + 1)[at]
    later = np.where(later <= first, later, least)  # no step between: a word longer than the model
    return np.where(begin >= least, begin, later)


@dataclass(frozen=True)
class WordStates:
    """What a model made of every word.

    Attributes
    ----------
    states : float32 array of shape (n_words, number of pools times the sum of the layers' widths)
        Pool by pool, and within each the layers side by side.
    surprise : float32 array of shape (n_words,)
        Minus the log-probability of the word's tokens, nats; NaN for a model without logits, or one
        that changes them after its output embedding.
    """

    states: NDArray[np.float32]
    surprise: NDArray[np.float32]


@torch.inference_mode()
def read_words(
    model: Any,
    tokenizer: Tokenizer,
    words: Sequence[str],
    layers: Sequence[int],
    context: int | None = None,
    bos: int | None = None,
    *,
    step: int = 1,
    pools: Sequence[Pool] = ("last",),
) -> WordStates:
    """States of every word, and how surprising it was, from one pass.

    Parameters
    ----------
    model : a Hugging Face causal language model
    tokenizer : Tokenizer
        The model's own.
    words : sequence of str
    layers : sequence of int
        0 is the embedding, the last the output of the last block (after its norm).
    context : int, optional
        Words before each word that the model reads; by default all that fit.
    bos : int, optional
        Token that begins every window.
    step : int
        As for `word_windows`.
    pools : sequence of {"last", "mean"}
        The state of a word's last token, or the mean over its tokens.

    Raises
    ------
    InputError
        For a layer that the model does not have, or a model that has no states of its layers.
    """
    widths = checked_widths(model, layers)
    states = np.empty((len(words), len(pools) * sum(widths)), np.float32)
    surprise = np.full(len(words), np.nan, np.float32)
    if not words:
        return WordStates(states, surprise)
    ids, last = tokens_of_words(tokenizer, words)
    first = np.append(0, last[:-1] + 1)
    prefix, head = [] if bos is None else [bos], _head(model)
    longest = max_context(model, len(ids) + len(prefix)) - len(prefix)
    for batch in _batches(word_windows(last, context, longest, step), len(prefix)):
        tokens = [prefix + ids[w.begin : w.end].tolist() for w in batch]
        found = _forward(model, tokens)
        for row, window in enumerate(batch):
            own, shift = list(window.words), len(prefix) - window.begin
            begins = np.maximum(first[own], window.begin) + shift
            ends = last[own] + shift
            mine = torch.cat([found[layer][row] for layer in layers], dim=-1)
            parts = [_pooled(mine, begins, ends, pool) for pool in pools]
            states[own] = torch.cat(parts, dim=-1).cpu().numpy()
            if head is not None:
                surprise[own] = _surprise(head, found[-1][row], tokens[row], begins, ends)
    return WordStates(states, surprise)


def checked_widths(model: Any, layers: Sequence[int]) -> list[int]:
    """Widths of some layers' states; raise an InputError for one that the model does not have."""
    widths = layer_widths(model)
    wrong = [layer for layer in layers if not 0 <= layer < len(widths)]
    if wrong:
        what = f"the model has layers 0 (embeddings) to {len(widths) - 1}"
        raise InputError(f"layers {wrong}: {what}")
    return [widths[layer] for layer in layers]


def _pooled(states: torch.Tensor, begins: NDArray, ends: NDArray, pool: Pool) -> torch.Tensor:
    """States of words, float32, from those of tokens; each word has tokens begin to end."""
    if pool == "last":
        return states[torch.from_numpy(ends)].float()
    sums = torch.cat(
        [states.new_zeros(1, states.shape[1], dtype=torch.float64), states.double().cumsum(0)]
    )
    counts = torch.from_numpy(ends + 1 - begins)[:, None].to(states.device)
    found = sums[torch.from_numpy(ends + 1)] - sums[torch.from_numpy(begins)]
    return (found / counts).float()


def _head(model: Any) -> Any:
    """What makes logits of the last layer's states; None if that is not all there is to it."""
    head = getattr(model, "get_output_embeddings", lambda: None)()
    if head is None:
        return None
    ids = torch.zeros((1, min(2, max_context(model, 2))), dtype=torch.long)
    wanted = last_logits(model, ids.to(model.device), ids.shape[1])
    found = head(layer_states(model, ids)[-1])
    alike = wanted.shape == found.shape and torch.allclose(wanted, found, rtol=0.01, atol=0.05)
    return head if alike else None


def _surprise(
    head: Any, states: torch.Tensor, tokens: list[int], begins: NDArray, ends: NDArray
) -> NDArray[np.float32]:
    """Nats of words whose tokens follow each other in a window; of its first token, ln V."""
    places = np.arange(begins[0], ends[-1] + 1)
    nats = np.empty(len(places))
    for at in range(0, len(places), LOGIT_ROWS):
        part = places[at : at + LOGIT_ROWS]
        log_p = head(states[torch.from_numpy(np.maximum(part - 1, 0))]).float().log_softmax(-1)
        goal = torch.tensor([tokens[place] for place in part], device=log_p.device)[:, None]
        own = -log_p.gather(1, goal)[:, 0].cpu().numpy()
        nats[at : at + LOGIT_ROWS] = np.where(part > 0, own, np.log(log_p.shape[1]))
    return np.add.reduceat(nats, begins - begins[0]).astype(np.float32)


def _batches(windows: list[Window], extra: int) -> Iterator[list[Window]]:
    """Windows of like length together, so that little is padded and the device is busy."""
    batch: list[Window] = []
    for window in sorted(windows, key=lambda w: w.end - w.begin):
        if batch and (window.end - window.begin + extra) * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(window)
    yield batch


def _forward(model: Any, tokens: list[list[int]]) -> tuple[torch.Tensor, ...]:
    """States of every layer, (batch, length, width); padding on the right is never attended to."""
    length = max(map(len, tokens))
    ids = torch.zeros((len(tokens), length), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, own in enumerate(tokens):
        ids[row, : len(own)] = torch.tensor(own)
        mask[row, : len(own)] = 1
    return layer_states(model, ids, attention_mask=mask.to(model.device))
