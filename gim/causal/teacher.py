"""A causal language model as a similarity: the teacher of the fuzzy matching model.

Kim, Mantena et al. 2025 (arXiv 2411.00066), section 3.2: positions are as alike as the next-token
distributions there, exp(-D), with D half the symmetrised Kullback-Leibler divergence, or by name
the Jensen-Shannon divergence with a temperature.
"""

from copy import copy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gim.causal.divergence import DIVERGENCES, Distance
from gim.causal.model import read_log_probs, window_log_probs
from gim.causal.shape import max_context, vocabulary_size
from gim.errors import InputError
from gim.text.align import Segmenter, TokenTree, build_tree
from gim.text.tokenizer import Tokenizer


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
        Each position sees ``window`` to ``2 * window - 1`` of the model's tokens (fewer at the
        beginning of a text): one forward pass, from a grid that does not depend on how the text
        comes in, serves ``window`` positions.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Tokenizer,
        distance: Distance = "symmetric_kl",
        temperature: float | None = None,
        window: int = 64,
    ) -> None:
        if distance not in DIVERGENCES:
            names = " nor ".join(f'"{name}"' for name in DIVERGENCES)
            raise InputError(f"distance {distance!r} is neither {names}")
        if distance == "jsd" and temperature is None:
            raise InputError('distance "jsd" needs a temperature, tuned on held-out text')
        if (n_known := vocabulary_size(model)) < tokenizer.vocab_size:
            raise InputError(
                f"tokenizer {tokenizer.name} has {tokenizer.vocab_size} ids, the teacher only "
                f"{n_known}: pass the teacher's own tokenizer"
            )
        self.model, self.tokenizer = model, tokenizer
        self.distance, self.temperature = distance, temperature or 1.0
        self.window = max(1, max_context(model, 2 * window) // 2)

    def stream(self, tokenizer: Tokenizer) -> Any:
        """See `gim.induction.fuzzy.Metric.stream`."""
        if tokenizer.fingerprint == self.tokenizer.fingerprint:
            return _OwnTokens(self)
        try:
            return _OtherTokens(self, tokenizer, Segmenter(self.tokenizer))
        except InputError:  # not a byte-level tokenizer
            return _Prefixes(self, tokenizer)

    def log_probs(self, ids: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.float32]:
        """States at some places (ascending) of a whole text of the teacher's own tokens.

        Returns
        -------
        log_probs : array of shape (n_places, vocabulary)
        """
        return read_log_probs(self.model, *_Line(self).passes(ids, places))

    def divergence(self, queries: NDArray, keys: NDArray) -> NDArray[np.float32]:
        """D between log-probabilities, shape (n_queries, n_keys)."""
        a, b = torch.from_numpy(queries), torch.from_numpy(keys)
        return DIVERGENCES[self.distance](a, b).numpy()

    def similarity(self, queries: NDArray, keys: NDArray) -> NDArray[np.float32]:
        """exp(-D / temperature), shape (n_queries, n_keys)."""
        return np.exp(-self.divergence(queries, keys) / np.float32(self.temperature))

    def first(self, position: int) -> int:
        """The first token that a position sees."""
        return max(0, (position // self.window - 1) * self.window)


class _Line:
    """The end of a growing line of the model's tokens, and the passes that read it.

    ``ids[0]`` is token number ``dropped`` of the whole line.
    """

    def __init__(self, metric: TeacherMetric) -> None:
        self.metric = metric
        self.dropped = 0

    def passes(self, ids: NDArray, wanted: NDArray) -> tuple[list[NDArray], list[NDArray]]:
        """Pieces of ``ids`` that show each of the ``wanted`` places (ascending) what it may see."""
        lines, places = [], []
        cell = (wanted + self.dropped) // self.metric.window
        for group in np.split(wanted, np.flatnonzero(np.diff(cell)) + 1) if len(wanted) else []:
            begin = self.begin(int(group[0]))
            lines.append(ids[begin : int(group[-1]) + 1])
            places.append(group - begin)
        return lines, places

    def begin(self, place: int) -> int:
        """The first of ``ids`` that a place sees."""
        return self.metric.first(place + self.dropped) - self.dropped


class _OwnTokens:
    """Tokens of the teacher's own tokenizer."""

    def __init__(self, metric: TeacherMetric) -> None:
        self._line = _Line(metric)
        self._ids = np.empty(0, np.int64)

    def __deepcopy__(self, memo: dict) -> "_OwnTokens":
        other = copy(self)  # the model is shared; arrays are replaced, never changed
        other._line = copy(self._line)
        return other

    def push(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        old, tokens = len(self._ids), np.concatenate([self._ids, ids])
        lines, places = self._line.passes(tokens, np.arange(old, len(tokens)))
        states = read_log_probs(self._line.metric.model, lines, places)
        cut = self._line.begin(len(tokens))
        self._ids, self._line.dropped = tokens[cut:], self._line.dropped + cut
        return states


class _OtherTokens:
    """Tokens of another tokenizer, through the teacher's tokens of every prefix of the text."""

    def __init__(self, metric: TeacherMetric, tokenizer: Tokenizer, segmenter: Segmenter) -> None:
        self._line = _Line(metric)
        self._decoder = tokenizer.stream()
        self._segmenter = segmenter
        self._text = ""

    def __deepcopy__(self, memo: dict) -> "_OtherTokens":
        other = copy(self)
        other._line, other._decoder = copy(self._line), self._decoder.copy()
        return other

    def push(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        pieces = [self._decoder.push(int(i)) for i in ids]
        ends = len(self._text) + np.cumsum([len(piece) for piece in pieces])
        text = self._text + "".join(pieces)
        states = self._states(text, ends)
        # Words from which a later position may see on.
        kept = 2 * self._line.metric.window + 2
        self._text, dropped = self._segmenter.settle(text, kept)
        self._line.dropped += dropped
        return states

    def _states(self, text: str, ends: NDArray) -> NDArray[np.float32]:
        tree = build_tree(text, ends, self._segmenter)
        model = self._line.metric.model
        nodes, back = np.unique(tree.node_at, return_inverse=True)
        states = np.empty((len(nodes), vocabulary_size(model)), np.float32)
        trunk = (nodes >= 0) & (nodes < tree.n_trunk)
        lines, places = self._line.passes(tree.ids[: tree.n_trunk], nodes[trunk])
        states[trunk] = read_log_probs(model, lines, places)
        windows = [self._branch(tree, node) for node in nodes[~trunk].tolist()]
        states[~trunk] = window_log_probs(model, windows)
        return states[back]

    def _branch(self, tree: TokenTree, node: int) -> list[int]:
        """What the end of a branch sees; nothing for a prefix of no token (-1)."""
        tail = []
        while node >= tree.n_trunk:
            tail.append(int(tree.ids[node]))
            node = int(tree.parent[node])
        begin = self._line.begin(node + len(tail))
        return [*tree.ids[begin : node + 1].tolist(), *tail[::-1]]


class _Prefixes:
    """For a tokenizer of any kind: each prefix is tokenised anew and read by a pass of its own."""

    keep = 8192  # characters of text kept: many more than the window's tokens

    def __init__(self, metric: TeacherMetric, tokenizer: Tokenizer) -> None:
        self._metric = metric
        self._decoder = tokenizer.stream()
        self._text = ""

    def __deepcopy__(self, memo: dict) -> "_Prefixes":
        other = copy(self)
        other._decoder = self._decoder.copy()
        return other

    def push(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        windows = []
        for token in ids:
            self._text = (self._text + self._decoder.push(int(token)))[-self.keep :]
            line = self._metric.tokenizer.encode(self._text)
            windows.append(line[-self._metric.window :].tolist())
        return window_log_probs(self._metric.model, windows)
