"""GIM: Infini-Gram, exact and fuzzy induction as one next-token predictor.

Kim, Mantena et al. 2025 (arXiv 2411.00066); which component answers is in `gim.induction.choice`.
"""

from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gim.errors import InputError
from gim.induction.choice import SequenceScores, choose, reason
from gim.induction.exact import ExactInduction
from gim.induction.fuzzy import FuzzyInduction, as_metric
from gim.induction.prediction import Evidence, Prediction
from gim.infinigram.query import InfiniGram, Match
from gim.scores import Scores
from gim.text.tokenizer import Tokenizer, check_ids

TAU = {"gpt2": 8, "llama2": 9}  # published for BabyLM; `gim tune` chooses it for other settings


class GIM:
    """The predictor.

    Parameters
    ----------
    tokenizer : Tokenizer
        Whose ids are predicted.
    index : InfiniGram, optional
        Reference corpus, indexed with the same tokenizer.
    encoder : Encoder or Metric, optional
        For fuzzy induction.
    tau : int
        Suffix length from which an exact match is trusted more than a fuzzy one.
    window : int
        Tokens of context.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        index: InfiniGram | None = None,
        encoder: Any = None,
        tau: int = TAU["gpt2"],
        window: int = 1024,
    ) -> None:
        if tau < 1:
            raise InputError(f"tau is {tau}; it is a suffix length of at least 1")
        self.tokenizer = tokenizer
        self.index = index
        self.metric = None if encoder is None else as_metric(encoder)
        self.tau = tau
        self.window = window

    def stream(self) -> "GIMStream":
        """A predictor for a context that grows token by token."""
        return GIMStream(self)

    def predict(self, ids: ArrayLike, evidence: int = 5) -> Prediction:
        """Predict what follows ``ids``.

        Parameters
        ----------
        ids : int array of shape (n,)
        evidence : int
            Number of passages to name.
        """
        stream = self.stream()
        stream.extend(ids)
        return stream.predict(evidence)

    def components(self, ids: ArrayLike, targets: ArrayLike) -> SequenceScores:
        """Teacher forcing: score every component at every position, once for all tau.

        Parameters
        ----------
        ids, targets : int arrays of shape (n,)
            ``targets[t]`` is what came after ``ids[t]``; -1: not scored.
        """
        tokens = check_ids(ids, self.tokenizer)
        fuzzy = FuzzyInduction(self.metric, self.tokenizer, self.window) if self.metric else None
        return SequenceScores(
            ExactInduction(self.window).score(tokens, targets),
            self.index.score(tokens, targets, self.window) if self.index else None,
            fuzzy.score(tokens, targets) if fuzzy else None,
        )

    def score(self, ids: ArrayLike, targets: ArrayLike) -> tuple[Scores, NDArray[np.str_]]:
        """Scores of GIM at every position, and which component answered."""
        return self.components(ids, targets).combine(self.tau)


class GIMStream:
    """State of a `GIM` over a growing context. Memory is O(window)."""

    def __init__(self, model: GIM) -> None:
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
        tokens = check_ids(ids, self._model.tokenizer)
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
