"""Hugging Face causal language models: loading, next-token distributions and scores."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gim.causal.saved import cannot_load, check_causal, check_size, check_weights, find_saved
from gim.causal.shape import last_logits, max_context, vocabulary_size
from gim.errors import InputError
from gim.scores import Scores
from gim.text.tokenizer import Tokenizer, load_tokenizer

LOGITS = 1 << 24  # logits held at once, in numbers


def load_causal(
    source: str,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    *,
    causal: bool = True,
) -> Any:
    """Load a causal language model from a folder or the hub's cache; nothing is downloaded.

    Parameters
    ----------
    source : str
        A folder, the name of a model that was downloaded (``NAME`` or ``NAME@REVISION``), or a
        GGUF file.
    causal : bool
        Whether it must read from left to right. What reads only its embeddings can do without.

    Raises
    ------
    InputError
        When it cannot be loaded, not all of its weights are there and finite, or it looks ahead.
    """
    from transformers import AutoModelForCausalLM

    folder, options = find_saved(source)
    try:
        check_size(source, folder, options)
        loaded: Any = AutoModelForCausalLM.from_pretrained(  # a folder  # nosec B615
            folder,
            dtype=dtype,
            output_loading_info=True,
            local_files_only=True,
            trust_remote_code=False,
            **options,
        )
    except InputError:
        raise
    except Exception as error:  # OSError, ValueError, and what several libraries raise
        raise cannot_load(source, error) from error
    model, about = loaded
    check_weights(source, model, sorted(about["missing_keys"]))
    model = model.to(device).eval()
    if causal:
        check_causal(source, model)
    return model


def check_vocabulary(source: str, model: Any, tokenizer: Tokenizer) -> None:
    """Raise unless a model's ids mean what those of ``tokenizer`` mean.

    Its own tokenizer may have more ids at the end, and special ones; a model without one must at
    least have as many ids.

    Raises
    ------
    InputError
        Otherwise: the model would be scored on ids that mean other words to it.
    """
    remedy = f"compare it by text (--by-text), or use its own tokenizer (--tokenizer {source})"
    try:
        table = load_tokenizer(source).table
    except InputError:
        if model.config.vocab_size == tokenizer.vocab_size:
            return
        raise InputError(
            f"model {source}: {model.config.vocab_size} ids and no tokenizer to compare with "
            f"{tokenizer.name}, which has {tokenizer.vocab_size}; save its tokenizer beside it"
        ) from None
    pairs = enumerate(zip(table, tokenizer.table, strict=False))
    for token, (theirs, ours) in pairs:
        if theirs and ours and theirs != ours:
            raise InputError(
                f"model {source}: its ids are not those of tokenizer {tokenizer.name} (id {token} "
                f"is {theirs!r} to it, not {ours!r}); {remedy}"
            )
    if len(table) < tokenizer.vocab_size:
        raise InputError(
            f"model {source}: {len(table)} ids for the {tokenizer.vocab_size} of tokenizer "
            f"{tokenizer.name}; {remedy}"
        )


@torch.inference_mode()
def read_log_probs(
    model: Any, lines: list[NDArray[np.int64]], places: list[NDArray[np.int64]]
) -> NDArray[np.float32]:
    """Log-probabilities of the next token at some places of several lines of tokens.

    Parameters
    ----------
    lines : list of int arrays, none empty
    places : list of int arrays
        For each line the positions asked for, ascending.

    Returns
    -------
    log_probs : float array of shape (number of places, vocabulary)
        Line by line.
    """
    size = vocabulary_size(model)
    out = np.empty((sum(len(p) for p in places), size), np.float32)
    starts = np.cumsum([0, *(len(p) for p in places)])
    longest = max((len(line) for line in lines), default=1)
    batch = max(1, LOGITS // (longest * size))
    for begin in range(0, len(lines), batch):
        rows = range(begin, min(begin + batch, len(lines)))
        length = max(len(lines[row]) for row in rows)
        ids = np.zeros((len(rows), length), np.int64)  # padded on the right, which none sees
        for i, row in enumerate(rows):
            ids[i, : len(lines[row])] = lines[row]
        keep = length - min((int(places[row][0]) for row in rows if len(places[row])), default=0)
        logits = last_logits(model, torch.from_numpy(ids).to(model.device), keep)
        for i, row in enumerate(rows):
            asked = torch.from_numpy(places[row] - (length - keep)).to(model.device)
            found = logits[i, asked].float().log_softmax(-1)
            out[starts[row] : starts[row + 1]] = found.cpu().numpy()
    return out


def window_log_probs(model: Any, windows: list[list[int]]) -> NDArray[np.float32]:
    """Log-probabilities of what follows each window of tokens, shape (n, vocabulary).

    An empty window gets the uniform distribution.
    """
    size = vocabulary_size(model)
    out = np.full((len(windows), size), -np.log(size), np.float32)
    rows = [row for row, window in enumerate(windows) if len(window)]
    rows.sort(key=lambda row: len(windows[row]))  # alike lengths need little padding
    lines = [np.asarray(windows[row], np.int64) for row in rows]
    out[rows] = read_log_probs(model, lines, [np.array([len(line) - 1]) for line in lines])
    return out


@torch.inference_mode()
def score_causal(model: Any, ids: NDArray, targets: NDArray, context: int = 1024) -> Scores:
    """Rank every target by a language model.

    Parameters
    ----------
    ids, targets : int arrays of shape (n,)
        As in `gim.induction.exact.ExactInduction.score`.
    context : int
        Longest context (less if the model's positions end before). Scored positions that are half
        a context apart or more have a window of their own each: the full context. Closer ones
        share windows that overlap by half, so that each sees at least half the context.
    """
    context = max_context(model, context)
    wanted = np.flatnonzero(np.asarray(targets) >= 0)
    out = Scores.empty(len(ids))
    if len(wanted) == 0:
        return out
    cell = wanted // max(1, context // 2)
    for group in np.split(wanted, np.flatnonzero(np.diff(cell)) + 1):
        end = int(group[-1]) + 1
        begin = max(0, end - context)
        tokens = torch.as_tensor(ids[begin:end], device=model.device)[None]
        logits = last_logits(model, tokens, end - int(group[0]))
        logits = logits[0, group - group[0]].float()
        goal = torch.as_tensor(np.asarray(targets)[group], device=model.device)[:, None]
        mine = logits.gather(1, goal)
        out.top[group] = logits.argmax(1).cpu().numpy()
        out.p_next[group] = logits.softmax(1).gather(1, goal)[:, 0].cpu().numpy()
        out.greater[group] = (logits > mine).sum(1).cpu().numpy()
        out.equal[group] = (logits == mine).sum(1).cpu().numpy()
    return out
