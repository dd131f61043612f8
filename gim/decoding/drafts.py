"""Drafts of speculative decoding: what proposes tokens, each with its chance of being right."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gim._kernels import draft as draft_kernel
from gim.decoding.costs import Costs
from gim.decoding.reader import Reader
from gim.decoding.sampling import Sampling
from gim.induction.exact import ExactInduction
from gim.induction.model import GIM
from gim.text.tokenizer import as_tokens
from gim.weighing.model import WeightedStream

kernel: Any = draft_kernel  # compiled functions carry no types
Sparse = tuple[NDArray[np.int64], NDArray[np.float64]]  # ids and probabilities
FADE = 0.95  # what a class of drafts saw before counts so much less at each new case of it
CASES = 8.0  # cases that what is assumed of a class counts for
# Chance of a draft below which a stream makes no further token of it: 0.3 ms, 4 with an encoder.
STREAM, ENCODED = 0.1, 0.3
LONGEST_PAUSE = 7  # calls in a row for which a dear draft that had nothing is not asked
BINS = 10  # classes of a draft's own probabilities
# How often copies were right in 120 training documents of wikipedia and gutenberg, GPT-2's tokens:
# a row a length of the match, from 1, 2, 3, 4, 6, 9, 16, 32 on; by the agreement of what followed.
COPIES = np.array(
    [  # below half, half, one place, several places
        [0.11, 0.17, 0.16, 0.63],
        [0.08, 0.18, 0.23, 0.79],
        [0.09, 0.19, 0.34, 0.87],
        [0.11, 0.26, 0.46, 0.90],
        [0.10, 0.20, 0.54, 0.87],
        [0.10, 0.20, 0.71, 0.94],
        [0.10, 0.20, 0.93, 0.98],
        [0.10, 0.20, 0.97, 0.98],
    ]
)


@dataclass(frozen=True)
class Proposal:
    """Drafted tokens.

    Attributes
    ----------
    tokens : list of int
    chances : list of float
        Of each being right if all before it were.
    drawn : list of (ids, probabilities), optional
        The distributions that the tokens were drawn from; without them each is certain.
    """

    tokens: list[int]
    chances: list[float]
    drawn: list[Sparse] | None = None

    def worth(self, costs: Costs | None) -> "Proposal":
        """The first tokens, as many as pay; without ``costs`` all."""
        n = len(self.tokens) if costs is None else costs.best(self.chances)
        return Proposal(self.tokens[:n], self.chances[:n], self.drawn and self.drawn[:n])


class Draft(Protocol):
    """Proposes tokens; keeps up with what was accepted."""

    def extend(self, ids: Sequence[int]) -> None:
        """Tokens that are final."""

    def propose(self, n: int, costs: Costs | None, rng: np.random.Generator) -> Proposal:
        """At most ``n`` tokens to follow, as many as pay; without ``costs`` all there are."""


class Record:
    """How often drafted tokens of each class were right, of late.

    Parameters
    ----------
    assumed : float array of shape (n_classes,)
        What is assumed of each class before it is seen.
    """

    def __init__(self, assumed: NDArray[np.float64]) -> None:
        self.tries = np.full(len(assumed), CASES)
        self.hits = CASES * assumed

    def chance(self, of: int) -> float:
        """Of a class."""
        return float(self.hits[of] / self.tries[of])

    def learn(self, of: int, hit: bool) -> None:
        """One more case of a class."""
        self.tries[of] = FADE * self.tries[of] + 1
        self.hits[of] = FADE * self.hits[of] + hit


class CopyDraft:
    """Copies on from the longest match in the context: exact induction without a distribution.

    Every token that comes, those of the prompt too, is held against what would have been drafted
    in its place, so that a text's own habits give the chances.

    Parameters
    ----------
    window : int
        Tokens of context.
    """

    def __init__(self, window: int = 1024) -> None:
        self._exact = ExactInduction(window)
        self._record = Record(COPIES.ravel())

    def extend(self, ids: Sequence[int]) -> None:
        """See `Draft.extend`."""
        record, tokens = self._record, as_tokens(ids)
        self._exact.reserve(len(tokens))
        kernel.follow(
            *self._exact.arrays, self._exact.window or 0, tokens, record.tries, record.hits, FADE
        )  # fmt: skip

    def propose(self, n: int, costs: Costs | None, rng: np.random.Generator) -> Proposal:
        """See `Draft.propose`."""
        tokens, chances = np.empty(n, np.int64), np.empty(n)
        record, least = self._record, 0.0 if costs is None else costs.least
        n = kernel.propose(*self._exact.arrays, record.tries, record.hits, least, tokens, chances)
        return Proposal(tokens[:n].tolist(), chances[:n].tolist()).worth(costs)


class LearningDraft(ABC):
    """A draft that makes token after token, whose probabilities are held against what came.

    Parameters
    ----------
    sampled : bool
        Draw from the distribution instead of taking its most probable token.
    least : float
        Chance of all of a draft below which no further token is made: for what is dear to make.
    """

    def __init__(self, sampled: bool = False, least: float = 0.0) -> None:
        self._record = Record((np.arange(BINS) + 0.5) / BINS)
        self._sampled = sampled
        self._least = least
        self._proposed: list[tuple[int, int]] = []  # tokens and their classes

    @abstractmethod
    def _read(self, ids: Sequence[int]) -> None:
        """Final tokens."""

    @abstractmethod
    def _draw(self, ahead: list[int], rng: np.random.Generator) -> tuple[int, float, Sparse]:
        """A token to follow those drafted, its probability, and the distribution."""

    def extend(self, ids: Sequence[int]) -> None:
        """See `Draft.extend`."""
        for (token, of), came in zip(self._proposed, ids, strict=False):
            self._record.learn(of, token == came)
            if token != came:
                break
        self._proposed = []
        self._read(ids)

    def propose(self, n: int, costs: Costs | None, rng: np.random.Generator) -> Proposal:
        """See `Draft.propose`."""
        out, path = Proposal([], [], [] if self._sampled else None), 1.0
        least = 0.0 if costs is None else max(costs.least, self._least)
        self._proposed = []
        while len(out.tokens) < n:
            token, probability, q = self._draw(out.tokens, rng)
            of = min(int(BINS * probability), BINS - 1)
            self._proposed.append((token, of))
            path *= self._record.chance(of)
            if path < least:
                break
            out.tokens.append(token)
            out.chances.append(self._record.chance(of))
            if out.drawn is not None:
                out.drawn.append(q)
        return out.worth(costs)


class StreamDraft(LearningDraft):
    """Draft of a predictor's stream, of a GIM or of a WeightedGIM."""

    def __init__(self, model: Any, sampled: bool = False) -> None:
        super().__init__(sampled, STREAM if model.metric is None else ENCODED)
        self._stream = model.stream()
        self._ahead = self._stream

    def _read(self, ids: Sequence[int]) -> None:
        self._stream.extend(ids)

    def _draw(self, ahead: list[int], rng: np.random.Generator) -> tuple[int, float, Sparse]:
        if len(ahead) < 2:  # where the stream is, or one token on
            self._ahead = self._stream.copy() if ahead else self._stream
        if ahead:
            self._ahead.push(ahead[-1])
        ids, p = self._distribution()
        at = int(rng.choice(len(p), p=p) if self._sampled else p.argmax())
        return int(ids[at]), float(p[at]), (ids, p)

    def _distribution(self) -> Sparse:
        if isinstance(self._ahead, WeightedStream):  # not in order, which takes ten times as long
            p = self._ahead.distribution().copy()
            return np.arange(len(p)), p
        answer = self._ahead.predict(evidence=0)
        return answer.ids, answer.probabilities


class ModelDraft(LearningDraft):
    """Draft of a small causal language model, for comparison."""

    def __init__(self, model: Any, sampling: Sampling, sampled: bool = False) -> None:
        super().__init__(sampled)
        self._reader = Reader(model)
        self._sampling = sampling
        self._ids: list[int] = []

    def _read(self, ids: Sequence[int]) -> None:
        self._ids += [int(i) for i in ids]

    def _draw(self, ahead: list[int], rng: np.random.Generator) -> tuple[int, float, Sparse]:
        logits = self._reader.read(self._ids + ahead, 1)
        p = self._sampling.probabilities(logits)[0]
        token = int(rng.choice(len(p), p=p) if self._sampled else p.argmax())
        own = Sampling(1.0).probabilities(logits)[0, token]
        return token, float(own), (np.flatnonzero(p), p[p > 0])


class LayeredDraft:
    """Copies where that pays; else asks a dearer draft, less often while that has nothing.

    Eq. 5 of Kim, Mantena et al. 2025 (arXiv 2411.00066) with chances in the place of tau: the
    longest match answers where it can be trusted. The dear draft takes in tokens when it is asked,
    many at once.
    """

    def __init__(self, dear: Draft, window: int) -> None:
        self._copy, self._dear = CopyDraft(window), dear
        self._waiting: list[int] = []
        self._pause = self._rest = 0

    def extend(self, ids: Sequence[int]) -> None:
        """See `Draft.extend`."""
        self._copy.extend(ids)
        self._waiting += ids

    def propose(self, n: int, costs: Costs | None, rng: np.random.Generator) -> Proposal:
        """See `Draft.propose`."""
        proposal = self._copy.propose(n, costs, rng)
        if proposal.tokens or self._rest > 0:
            self._rest -= not proposal.tokens
            return proposal
        self._dear.extend(self._waiting)
        self._waiting = []
        proposal = self._dear.propose(n, costs, rng)
        self._pause = 0 if proposal.tokens else min(2 * self._pause + 1, LONGEST_PAUSE)
        self._rest = self._pause
        return proposal


def draft_of(model: Any, sampled: bool = False) -> Draft:
    """The quickest draft of a predictor.

    Parameters
    ----------
    model : GIM or WeightedGIM
    sampled : bool
        Draw from its distribution instead of taking its most probable token.
    """
    if sampled or not isinstance(model, GIM):
        return StreamDraft(model, sampled)
    if model.index is None and model.metric is None:
        return CopyDraft(model.window)
    return LayeredDraft(StreamDraft(model), model.window)
