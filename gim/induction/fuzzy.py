"""Fuzzy induction: every earlier position votes, by similarity, for the token that followed it.

Kim, Mantena et al. 2025 (arXiv 2411.00066), "induction-only (fuzzy)". Where the similarity comes
from is a `Metric`: GIM's own small encoder (`gim.encoder.encoder.Encoder`), or a causal language
model (`gim.causal.teacher`).
"""

from copy import copy, deepcopy
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gim._kernels.soft import soft_rank
from gim.scores import Scores
from gim.text.tokenizer import Tokenizer, as_tokens

BLOCK = 256  # queries compared at once
SECTION = 2048  # tokens encoded at once: a teacher's states are as wide as its vocabulary


class StateStream(Protocol):
    """Turns the tokens of a growing context into states."""

    def push(self, ids: NDArray[np.int64]) -> NDArray:
        """One state for every token, shape (len(ids), size), of whatever the metric compares."""


class Metric(Protocol):
    """A similarity between positions of a text."""

    def stream(self, tokenizer: Tokenizer) -> StateStream:
        """A reader of the tokens of that tokenizer."""

    def similarity(self, queries: NDArray, keys: NDArray) -> NDArray[np.float32]:
        """exp(-distance), shape (n_queries, n_keys)."""


class EncoderMetric:
    """Similarity by an encoder, for the tokens of any tokenizer."""

    def __init__(self, encoder: Any) -> None:
        self.encoder = encoder

    def stream(self, tokenizer: Tokenizer) -> StateStream:
        """See `Metric.stream`."""
        return _EncodedTokens(self.encoder, tokenizer)

    def similarity(self, queries: NDArray, keys: NDArray) -> NDArray[np.float32]:
        """exp(-(1 - cos) / T)."""
        return self.encoder.similarity(queries, keys)


class _EncodedTokens:
    def __init__(self, encoder: Any, tokenizer: Tokenizer) -> None:
        self._text = tokenizer.stream()
        self._vectors = encoder.stream()

    def __deepcopy__(self, memo: dict) -> "_EncodedTokens":
        other = copy(self)  # the encoder itself is shared
        other._text, other._vectors = self._text.copy(), copy(self._vectors)
        return other

    def push(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        return self._vectors.push([self._text.push(int(i)) for i in ids])


class Recent:
    """The last rows of a growing array, in a buffer that moves only now and then."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._buffer: NDArray | None = None
        self._end = 0

    def copy(self) -> "Recent":
        """An independent copy of the last rows."""
        other = Recent(self.size)
        if self._buffer is not None:
            other.append(self.rows)
        return other

    @property
    def rows(self) -> NDArray:
        """At most ``size`` rows, oldest first (a view)."""
        assert self._buffer is not None
        return self._buffer[max(0, self._end - self.size) : self._end]

    def append(self, new: NDArray) -> NDArray:
        """Append rows; return a view of all of them after the (at most ``size``) old ones."""
        if self._buffer is None:
            self._buffer = np.empty((2 * self.size + len(new), *new.shape[1:]), new.dtype)
        if self._end + len(new) > len(self._buffer):
            kept = self.rows.copy()
            if len(kept) + len(new) > len(self._buffer):
                self._buffer = np.empty((self.size + 2 * len(new), *new.shape[1:]), new.dtype)
            self._buffer[: len(kept)] = kept
            self._end = len(kept)
        begin = max(0, self._end - self.size)
        self._buffer[self._end : self._end + len(new)] = new
        self._end += len(new)
        return self._buffer[begin : self._end]


class FuzzyInduction:
    """Incremental fuzzy induction over a sliding context.

    Parameters
    ----------
    metric : Metric or Encoder
    tokenizer : Tokenizer
        Whose ids are pushed.
    window : int
        The context is the last ``window`` tokens: candidates and what followed them lie inside.

    Notes
    -----
    Every position gets its state once. A state may depend on the few tokens before the window that
    its encoder sees (at most 64), whether tokens come one by one or all at once. Memory is
    O(window).
    """

    def __init__(self, metric: Any, tokenizer: Tokenizer, window: int = 1024) -> None:
        if window < 1:
            raise ValueError(f"window must be at least 1 token, not {window}")
        self.window = window
        self.n_seen = 0
        self._metric = as_metric(metric)
        self._stream = self._metric.stream(tokenizer)
        self._ids = Recent(window)
        self._states = Recent(window)
        self._ids.append(np.empty(0, np.int64))

    def copy(self) -> "FuzzyInduction":
        """An independent copy, O(window)."""
        other = copy(self)
        other._stream = deepcopy(self._stream)
        other._ids, other._states = self._ids.copy(), self._states.copy()
        return other

    def push(self, token: int) -> None:
        """Consume one token."""
        self.extend([token])

    def extend(self, ids: ArrayLike) -> None:
        """Consume tokens."""
        tokens = as_tokens(ids)
        for begin in range(0, len(tokens), SECTION):
            part = tokens[begin : begin + SECTION]
            self._ids.append(part)
            self._states.append(self._stream.push(part))
            self.n_seen += len(part)

    def votes(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The candidates and their weights.

        Returns
        -------
        positions : int array of shape (k,)
            Absolute positions of the tokens that followed the candidates, ascending.
        weights : float array of shape (k,)
            exp(-distance), not normalised. With fewer than two tokens there is no candidate.
        """
        n = len(self._ids.rows)
        if n < 2:
            return np.empty(0, np.int64), np.empty(0)
        states = self._states.rows
        weights = self._metric.similarity(states[-1:], states[:-1])[0]
        return np.arange(self.n_seen - n + 1, self.n_seen), weights.astype(np.float64)

    def counts(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Soft counts of the next token, ordered by falling count, then by id.

        With a single token of context, that token; empty only for an empty context.
        """
        _, weights = self.votes()
        context = self._ids.rows
        if len(weights) == 0:
            return context.copy(), np.ones(len(context))
        ids, inverse = np.unique(context[1:], return_inverse=True)
        sums = np.bincount(inverse, weights).astype(np.float64)
        order = np.lexsort((ids, -sums))
        return ids[order], sums[order]

    def score(self, ids: ArrayLike, targets: ArrayLike) -> Scores:
        """Consume tokens and rank each one's target, as `ExactInduction.score` does."""
        tokens, goals = as_tokens(ids), np.asarray(targets, np.int64)
        if goals.shape != tokens.shape:
            raise ValueError(f"{len(goals)} targets for {len(tokens)} tokens")
        parts = [Scores.empty(0)]
        for begin in range(0, len(tokens), SECTION):
            section = slice(begin, begin + SECTION)
            states = self._stream.push(tokens[section])
            for i in range(0, len(states), BLOCK):
                block = slice(begin + i, min(begin + i + BLOCK, section.stop))
                parts.append(self._score_block(tokens[block], states[i : i + BLOCK], goals[block]))
        return Scores.concatenate(parts)

    def _score_block(self, tokens: NDArray, states: NDArray, goals: NDArray) -> Scores:
        """Compare new tokens with the window before them and with each other."""
        ids, keys = self._ids.append(tokens), self._states.append(states)
        self.n_seen += len(tokens)
        out = Scores.empty(len(tokens))
        scored = np.flatnonzero(goals >= 0)
        if len(scored) == 0:
            return out
        rows = scored + len(ids) - len(tokens)
        distinct, local = np.unique(ids, return_inverse=True)
        place = np.minimum(np.searchsorted(distinct, goals[scored]), len(distinct) - 1)
        part = Scores.empty(len(scored))
        soft_rank(
            self._metric.similarity(keys[rows], keys[:-1]),
            local,
            distinct,
            np.maximum(0, rows + 1 - self.window),
            rows,
            np.where(distinct[place] == goals[scored], place, -1),
            part.top,
            part.p_next,
            part.greater,
            part.equal,
        )
        out[scored] = part
        return out


def as_metric(source: Any) -> Metric:
    """An `Encoder` becomes an `EncoderMetric`; a `Metric` is returned as it is."""
    return EncoderMetric(source) if hasattr(source, "segmenter") else source
