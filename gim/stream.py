"""GIM over a context that grows token by token."""

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from gim.choice import choose, reason
from gim.exact import ExactInduction
from gim.fuzzy import FuzzyInduction
from gim.infinigram import Match
from gim.prediction import Evidence, Prediction

if TYPE_CHECKING:
    from gim.model import GIM


class GIMStream:
    """State of a `GIM` over a growing context. Memory is O(window)."""

    def __init__(self, model: "GIM") -> None:
        self._model = model
        self._exact = ExactInduction(model.window)
        self._fuzzy = None
        if model.metric is not None:
            self._fuzzy = FuzzyInduction(model.metric, model.tokenizer, model.window)
        self._ids = np.empty(0, np.int64)  # the last ``window`` tokens
        self._match: Match | None = None

    @property
    def n_seen(self) -> int:
        """Tokens consumed so far."""
        return self._exact.n_seen

    def copy(self) -> "GIMStream":
        """An independent stream at the same place: to look ahead and come back."""
        other = copy(self)
        other._exact = self._exact.copy()
        other._fuzzy = None if self._fuzzy is None else self._fuzzy.copy()
        return other

    def push(self, token: int) -> None:
        """Consume one token."""
        self.extend([token])

    def extend(self, ids: ArrayLike) -> None:
        """Consume tokens."""
        tokens = self._model.check(ids)
        self._exact.extend(tokens)
        if self._fuzzy is not None:
            self._fuzzy.extend(tokens)
        self._ids = np.concatenate([self._ids, tokens])[-self._model.window :]
        if self._model.index is not None:
            # A match can grow by one with every token, so longer suffixes need no look-up.
            limit = (self._match.length if self._match else 0) + len(tokens)
            self._match = self._model.index.longest(self._ids, min(limit, len(self._ids)))

    def predict(self, evidence: int = 5) -> Prediction:
        """Predict the next token; see `GIM.predict`."""
        s_ctx, corpus = self._exact.suffix_len, self._model.index is not None
        lengths = {"exact": s_ctx}
        if self._match is None and corpus:
            self._match = self._model.index.longest([])  # type: ignore[union-attr]
        s_inf = -1 if self._match is None else self._match.length
        if corpus:
            lengths["infinigram"] = s_inf
        if self.n_seen == 0:
            return self._without_context(lengths, evidence)
        source = str(choose(s_inf, s_ctx, self._model.tau, corpus, self._fuzzy is not None))
        answer = {
            "infinigram": self._by_corpus,
            "exact": self._by_context,
            "fuzzy": self._by_similarity,
        }[source](lengths, evidence)
        why = reason(source, s_inf, s_ctx, self._model.tau, self._fuzzy is not None)
        if source != "fuzzy" and answer.suffix_len == 0:
            source = "unigram"
        return replace(answer, source=source, why=why)

    def _without_context(self, lengths: dict[str, int], evidence: int) -> Prediction:
        if self._match is not None:
            answer = self._by_corpus(lengths, evidence)
            return replace(answer, source="unigram", why="no context: counts of the corpus")
        size = self._model.tokenizer.vocab_size
        uniform = np.full(size, 1 / size)
        why = "no context and no corpus: nothing to copy from"
        return Prediction(np.arange(size), uniform, 0, "uniform", why, lengths)

    def _by_corpus(self, lengths: dict[str, int], evidence: int) -> Prediction:
        index, match = self._model.index, self._match
        assert index is not None and match is not None
        ids, counts = index.followers(match)
        places = [
            Evidence(
                where=p.index,
                document=p.document,
                begin=p.position - match.length,
                end=p.position,
                token=int(p.tokens[p.focus]),
                weight=1 / match.total,
                passage=tuple(p.tokens.tolist()),
                focus=p.focus,
            )
            for p in (index.passages(match, evidence) if match.length else [])
        ]
        return _prediction(ids, counts, match.length, lengths, places)

    def _by_context(self, lengths: dict[str, int], evidence: int) -> Prediction:
        ids, counts = self._exact.counts()
        length = self._exact.suffix_len
        places = []
        if length:
            matches = self._exact.matches()
            # The most recent matches first.
            for end in matches[::-1][:evidence].tolist():
                places.append(self._evidence(end, length, 1 / len(matches)))
        return _prediction(ids, counts, length, lengths, places)

    def _by_similarity(self, lengths: dict[str, int], evidence: int) -> Prediction:
        assert self._fuzzy is not None
        ids, sums = self._fuzzy.counts()
        positions, weights = self._fuzzy.votes()
        order = np.argsort(-weights, kind="stable")[:evidence]
        shares = weights[order] / weights.sum() if len(weights) else weights
        places = [
            self._evidence(int(positions[i]), 1, float(share))
            for i, share in zip(order, shares, strict=True)
        ]
        return _prediction(ids, sums, 0, lengths, places)

    def _evidence(self, end: int, length: int, weight: float) -> Evidence:
        token = int(self._ids[end - self.n_seen + len(self._ids)])
        return Evidence("context", -1, end - length, end, token, weight)


def _prediction(ids, counts, length: int, lengths: dict[str, int], places) -> Prediction:
    return Prediction(ids, counts / counts.sum(), length, "", "", lengths, places)
