"""GIM: Infini-Gram, exact and fuzzy induction as one next-token predictor.

Kim, Mantena et al. 2025 (arXiv 2411.00066); which component answers is in `gim.choice`.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gim.choice import SequenceScores
from gim.errors import InputError
from gim.exact import ExactInduction, as_tokens
from gim.fuzzy import FuzzyInduction, as_metric
from gim.infinigram import InfiniGram
from gim.prediction import Prediction
from gim.scores import Scores
from gim.stream import GIMStream
from gim.tokenizer import Tokenizer

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

    def stream(self) -> GIMStream:
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
        tokens = self.check(ids)
        fuzzy = FuzzyInduction(self.metric, self.tokenizer, self.window) if self.metric else None
        return SequenceScores(
            ExactInduction(self.window).score(tokens, targets),
            self.index.score(tokens, targets, self.window) if self.index else None,
            fuzzy.score(tokens, targets) if fuzzy else None,
        )

    def score(self, ids: ArrayLike, targets: ArrayLike) -> tuple[Scores, NDArray[np.str_]]:
        """Scores of GIM at every position, and which component answered."""
        return self.components(ids, targets).combine(self.tau)

    def check(self, ids: ArrayLike) -> NDArray[np.int64]:
        """Token ids as an array.

        Raises
        ------
        InputError
            For an id beyond the vocabulary.
        """
        tokens = as_tokens(ids)
        if len(tokens) and int(tokens.max()) >= self.tokenizer.vocab_size:
            raise InputError(
                f"token id {tokens.max()} is not below {self.tokenizer.vocab_size}, the vocabulary "
                f"of tokenizer {self.tokenizer.name}"
            )
        return tokens
