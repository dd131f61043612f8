"""Hugging Face causal language models: loading, next-token scores, and as a similarity.

`TeacherMetric` compares positions by the next-token distributions that a language model gives them
(Kim, Mantena et al. 2025, section 3.2): exp(-D), with D half the symmetrised Kullback-Leibler
divergence, or by name the Jensen-Shannon divergence with a temperature.
"""

from copy import copy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gim.align import prefix_windows
from gim.errors import InputError
from gim.scores import Scores
from gim.tokenizer import Tokenizer

BATCH = 16


def load_causal(source: str, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Any:
    """Load a causal language model by path or name.

    Raises
    ------
    InputError
        When it cannot be loaded.
    """
    from transformers import AutoModelForCausalLM

    try:
        model: Any = AutoModelForCausalLM.from_pretrained(source, dtype=dtype)
    except Exception as error:  # OSError, ValueError, HTTP errors of several libraries
        raise InputError(
            f"causal language model {source!r} cannot be loaded ({type(error).__name__}: "
            f"{str(error).splitlines()[0]}); pass the directory of a saved model"
        ) from error
    return model.to(device).eval()


def max_context(model: Any, wanted: int) -> int:
    """``wanted`` tokens, or fewer if the model's positions end before."""
    return min(wanted, int(getattr(model.config, "max_position_embeddings", wanted)))


@torch.inference_mode()
def window_log_probs(model: Any, windows: list[list[int]]) -> NDArray[np.float32]:
    """Log-probabilities of what follows each window of tokens, shape (n, vocabulary).

    Windows of one length share a forward pass, so that no padding is needed. An empty window gets
    the uniform distribution.
    """
    size = model.config.vocab_size
    out = np.full((len(windows), size), -np.log(size), np.float32)
    lengths = np.array([len(window) for window in windows])
    for length in np.unique(lengths[lengths > 0]):
        rows = np.flatnonzero(lengths == length)
        for begin in range(0, len(rows), BATCH):
            part = rows[begin : begin + BATCH]
            ids = torch.tensor([windows[i] for i in part], device=model.device)
            logits = model(ids, logits_to_keep=1).logits[:, -1]
            out[part] = logits.float().log_softmax(-1).cpu().numpy()
    return out


@torch.inference_mode()
def score_causal(
    model: Any, ids: NDArray, targets: NDArray, context: int = 1024, stride: int = 512
) -> Scores:
    """Rank every target by a language model.

    Parameters
    ----------
    ids, targets : int arrays of shape (n,)
        As in `gim.exact.ExactInduction.score`.
    context : int
        Longest context (less if the model's positions end before).
    stride : int
        Where every position is scored, windows overlap and advance by this much (at most half the
        context), so that a position sees between ``context - stride`` and ``context`` tokens. Where
        at most one in ``stride`` is scored, each has a window of its own: the full context.
    """
    context = max_context(model, context)
    wanted = np.flatnonzero(np.asarray(targets) >= 0)
    out = Scores.empty(len(ids))
    if len(wanted) == 0:
        return out
    if len(wanted) * stride <= len(ids) + stride:
        groups = [np.array([t]) for t in wanted]
    else:
        step = min(stride, max(1, context // 2))
        groups = np.split(wanted, np.flatnonzero(np.diff(wanted // step)) + 1)
    for group in groups:
        end = int(group[-1]) + 1
        begin = max(0, end - context)
        tokens = torch.as_tensor(ids[begin:end], device=model.device)[None]
        logits = model(tokens).logits[0, group - begin].float()
        goal = torch.as_tensor(np.asarray(targets)[group], device=model.device)[:, None]
        mine = logits.gather(1, goal)
        out.top[group] = logits.argmax(1).cpu().numpy()
        out.p_next[group] = logits.softmax(1).gather(1, goal)[:, 0].cpu().numpy()
        out.greater[group] = (logits > mine).sum(1).cpu().numpy()
        out.equal[group] = (logits == mine).sum(1).cpu().numpy()
    return out


class TeacherMetric:
    """Similarity of positions by a language model's next-token distributions.

    Parameters
    ----------
    model : a Hugging Face causal language model
    tokenizer : Tokenizer
        The model's own. Tokens of another tokenizer are turned into text, and the prefix at each
        position is tokenised anew: ids are never mixed.
    distance : {"symmetric_kl", "jsd"}
        D = (KL(p|q) + KL(q|p)) / 2, or the Jensen-Shannon divergence (natural log).
    temperature : float
        exp(-D / temperature). 1 for "symmetric_kl"; must be given for "jsd", which is at most ln 2
        and so hardly tells positions apart at 1.
    window : int
        Tokens that the model sees before each position.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Tokenizer,
        distance: str = "symmetric_kl",
        temperature: float | None = None,
        window: int = 64,
    ) -> None:
        if distance not in ("symmetric_kl", "jsd"):
            raise InputError(f'distance {distance!r} is neither "symmetric_kl" nor "jsd"')
        if distance == "jsd" and temperature is None:
            raise InputError('distance "jsd" needs a temperature, tuned on held-out text')
        self.model, self.tokenizer = model, tokenizer
        self.distance, self.temperature = distance, temperature or 1.0
        self.window = max_context(model, window)

    def stream(self, tokenizer: Tokenizer) -> "_TeacherStream":
        """See `gim.fuzzy.Metric.stream`."""
        return _TeacherStream(self, tokenizer)

    def similarity(self, queries: NDArray, keys: NDArray) -> NDArray[np.float32]:
        """exp(-D / temperature) between log-probabilities, shape (n_queries, n_keys)."""
        measure = _jsd if self.distance == "jsd" else _symmetric_kl
        return np.exp(-measure(queries, keys) / np.float32(self.temperature))


def _symmetric_kl(a: NDArray, b: NDArray) -> NDArray:
    """(KL(p|q) + KL(q|p)) / 2 of log-probabilities, by two matrix products."""
    p, q = np.exp(a), np.exp(b)
    own = (p * a).sum(1)[:, None] + (q * b).sum(1)[None]
    return np.maximum((own - p @ b.T - a @ q.T) / 2, 0)


def _jsd(a: NDArray, b: NDArray) -> NDArray:
    """KL(p|m)/2 + KL(q|m)/2 with m = (p + q)/2; a row of ``a`` at a time, to bound memory."""
    q = np.exp(b)
    out = np.empty((len(a), len(b)), np.float32)
    for i, row in enumerate(a):
        p = np.exp(row)
        log_m = np.logaddexp(row, b) - np.float32(np.log(2))
        out[i] = (p * (row - log_m)).sum(1) / 2 + (q * (b - log_m)).sum(1) / 2
    return np.maximum(out, 0)


class _TeacherStream:
    """Keeps the last tokens (or the text) and asks the model at every position."""

    keep = 8192  # characters of text kept: many more than the window's tokens

    def __init__(self, metric: TeacherMetric, tokenizer: Tokenizer) -> None:
        self._metric = metric
        self._same = tokenizer.fingerprint == metric.tokenizer.fingerprint
        self._decoder = tokenizer.stream()
        self._ids: list[int] = []
        self._text = ""

    def __deepcopy__(self, memo: dict) -> "_TeacherStream":
        other = copy(self)  # the model is shared; lists and strings are replaced, never changed
        other._decoder = self._decoder.copy()
        return other

    def push(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        width = self._metric.window
        if self._same:
            old, tokens = len(self._ids), self._ids + [int(i) for i in ids]
            ends = range(old + 1, len(tokens) + 1)
            windows = [tokens[max(0, end - width) : end] for end in ends]
            self._ids = tokens[-width:]
        else:
            pieces = [self._decoder.push(int(i)) for i in ids]
            ends_in_text = len(self._text) + np.cumsum([len(piece) for piece in pieces])
            text = self._text + "".join(pieces)
            encode = self._metric.tokenizer.encode
            windows = []
            for end in ends_in_text.tolist():
                recent = text[max(0, end - self.keep) : end]
                windows += prefix_windows(recent, [len(recent)], encode, width)
            self._text = text[-self.keep :]
        return window_log_probs(self._metric.model, windows)
