"""Hidden states of a causal language model after every word of a text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gim.causal.shape import layer_states, layer_widths, max_context
from gim.errors import InputError
from gim.text.tokenizer import Tokenizer
from gim.text.words import tokens_of_words

BATCH_TOKENS = 8192  # tokens in one forward pass, padding included


@dataclass(frozen=True)
class Window:
    """Tokens ``begin`` to ``end - 1`` of a text, and the words whose last tokens are wanted."""

    begin: int
    end: int
    words: tuple[int, ...]


def word_windows(last: NDArray[np.int64], context: int | None, longest: int | None) -> list[Window]:
    """What a model reads for every word: the word and the ``context`` words before it.

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
    """
    first = np.append(0, last[:-1] + 1)
    words = np.arange(len(last))
    begin = first[np.maximum(words - context, 0)] if context is not None else np.zeros_like(first)
    if longest is not None:
        begin = np.maximum(begin, last + 1 - longest)
    windows = []
    starts, at = np.unique(begin, return_index=True)
    for start, group in zip(starts, np.split(words, at[1:]), strict=True):
        windows.append(Window(int(start), int(last[group[-1]]) + 1, tuple(group.tolist())))
    return windows


@torch.inference_mode()
def hidden_states(
    model: Any,
    tokenizer: Tokenizer,
    words: Sequence[str],
    layers: Sequence[int],
    context: int | None = None,
    bos: int | None = None,
) -> NDArray[np.float32]:
    """State of every word's last token, the layers side by side.

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

    Returns
    -------
    states : array of shape (n_words, sum of the layers' widths)

    Raises
    ------
    InputError
        For a layer that the model does not have, or a model that has no states of its layers.
    """
    widths = layer_widths(model)
    wrong = [layer for layer in layers if not 0 <= layer < len(widths)]
    if wrong:
        what = f"the model has layers 0 (embeddings) to {len(widths) - 1}"
        raise InputError(f"layers {wrong}: {what}")
    out = np.empty((len(words), sum(widths[layer] for layer in layers)), np.float32)
    if not words:
        return out
    ids, last = tokens_of_words(tokenizer, words)
    prefix = [] if bos is None else [bos]
    longest = max_context(model, len(ids) + len(prefix)) - len(prefix)
    for batch in _batches(word_windows(last, context, longest), len(prefix)):
        tokens = [prefix + ids[w.begin : w.end].tolist() for w in batch]
        states = _forward(model, tokens, layers)
        for row, window in enumerate(batch):
            at = last[list(window.words)] - window.begin + len(prefix)
            out[list(window.words)] = states[row, at].float().cpu().numpy()
    return out


def _batches(windows: list[Window], extra: int) -> Iterator[list[Window]]:
    """Windows of like length together, so that little is padded and the device is busy."""
    batch: list[Window] = []
    for window in sorted(windows, key=lambda w: w.end - w.begin):
        if batch and (window.end - window.begin + extra) * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(window)
    yield batch


def _forward(model: Any, tokens: list[list[int]], layers: Sequence[int]) -> torch.Tensor:
    """States (batch, length, sum of widths); padding on the right is never attended to."""
    length = max(map(len, tokens))
    ids = torch.zeros((len(tokens), length), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, own in enumerate(tokens):
        ids[row, : len(own)] = torch.tensor(own)
        mask[row, : len(own)] = 1
    states = layer_states(model, ids, attention_mask=mask.to(model.device))
    return torch.cat([states[layer] for layer in layers], dim=-1)
