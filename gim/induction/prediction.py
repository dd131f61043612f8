"""What a predictor answers: a distribution, and the passages that it was copied from."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Evidence:
    """One passage that voted.

    Attributes
    ----------
    where : str
        "context", or the name of the index.
    document : int
        Number of the document in the index; -1 for the context.
    begin, end : int
        The matched tokens are those from ``begin`` to ``end - 1`` of the context (absolute
        positions) or of the document; the token at ``end`` is the vote.
    token : int
        The id voted for.
    weight : float
        Share of the whole vote.
    passage : tuple of int
        For an index, the tokens around the vote; empty for the context, which the caller has.
    focus : int
        Place of the vote within ``passage``.
    kind : str
        Of a weighed vote, what speaks for it: "matches", "similar", "words", "corpus".
    """

    where: str
    document: int
    begin: int
    end: int
    token: int
    weight: float
    passage: tuple[int, ...] = ()
    focus: int = 0
    kind: str = ""


@dataclass(frozen=True)
class Prediction:
    """A distribution of the next token and where it comes from.

    Attributes
    ----------
    ids, probabilities : arrays of shape (k,)
        By falling probability, then by id; the probabilities sum to 1.
    suffix_len : int
        Length of the suffix that the answering component matched (0: none, or fuzzy).
    source : str
        "infinigram", "exact", "fuzzy", "unigram" (back-off to the counts of the context or of the
        corpus), "uniform" (an empty context and no corpus); of a weighed prediction, what gives
        most to the most probable token (`gim.weighing.weights.SOURCES`).
    why : str
        The choice of Eq. 5 in words.
    lengths : dict
        Suffix length of each component.
    evidence : list of Evidence
        The strongest passages.
    remainder : dict of str to float
        Of a weighed prediction (`gim.weighing`), what no passage of ``evidence`` gives the most
        probable token, by name: weights of evidence and remainder sum to its probability.
    """

    ids: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    suffix_len: int
    source: str
    why: str
    lengths: dict[str, int]
    evidence: list[Evidence] = field(default_factory=list)
    remainder: dict[str, float] = field(default_factory=dict)

    @property
    def effective_n(self) -> int:
        """Suffix length plus the predicted token (Liu et al. 2024)."""
        return self.suffix_len + 1

    @property
    def top(self) -> int:
        """The most probable id (the smallest of ties)."""
        return int(self.ids[0])

    def probability(self, token: int) -> float:
        """Probability of an id, 0 where it got no vote."""
        return float(self.probabilities[self.ids == token].sum())
