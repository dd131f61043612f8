"""GIM with evidence weighed instead of switched: one mixture of all passages, never a zero.

Where `gim.induction.model.GIM` lets one component answer (Eq. 5 of Kim, Mantena et al. 2025), here
each has a weight that depends on how long its matches are, how many, and how alike. The two have
one interface. What the sources are is told in `gim.weighing.weights`.
"""

from collections.abc import Iterator
from copy import copy, deepcopy
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gim._kernels import weigh as weigh_kernel
from gim.errors import InputError
from gim.induction.fuzzy import SECTION, as_metric
from gim.induction.prediction import Prediction
from gim.infinigram.kneser_ney import KneserNey
from gim.infinigram.query import InfiniGram, Match
from gim.scores import Scores
from gim.text.tokenizer import Tokenizer, check_ids, load_tokenizer
from gim.weighing.evidence import Attribution, Passages
from gim.weighing.place import NONE, NGrams, Place, Weighed, know, read_ngrams, weigh
from gim.weighing.weights import (
    GATE,
    SLOPES,
    SOURCES,
    Weights,
    load_weights,
    setting,
    shipped_weights,
)

kernel: Any = weigh_kernel  # compiled functions carry no types
NO_IDS = np.empty(0, np.int64)


def ranked(p: NDArray[np.float64], target: int, length: int) -> Scores:
    """The score of one place: a target among a distribution, after a match of some length."""
    top, mine, more, same = kernel.rank(p, target)
    return Scores(length, top, mine, more, same)  # type: ignore[arg-type]


class WeightedGIM:
    """The predictor.

    Parameters
    ----------
    tokenizer : Tokenizer
        Whose ids are predicted.
    index : InfiniGram, optional
        Reference corpus, indexed with the same tokenizer. Its n-gram tables are made in the
        folder of the index if they are missing.
    encoder : Encoder or Metric, optional
        For the similarity of places.
    weights : dict of str to Weights, optional
        By `gim.weighing.weights.setting`, from `gim.weighing.weights.load_weights`; by default
        those that are shipped.
    window : int
        Tokens of context.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        index: InfiniGram | None = None,
        encoder: Any = None,
        weights: dict[str, Weights] | None = None,
        window: int = 1024,
    ) -> None:
        self.tokenizer = tokenizer
        self.index = index
        self.metric = None if encoder is None else as_metric(encoder)
        self.window = window
        self.setting = setting(index is not None, encoder is not None)
        known = shipped_weights() if weights is None else weights
        if self.setting not in known:
            raise InputError(
                f"no weights for {self.setting}, only for {', '.join(known)}; fit them with "
                "`gim tune`"
            )
        self.weights = known[self.setting]
        self.ngrams = [] if index is None else _ngrams(index)
        unigrams = [share * model.unigram for model, share in self.ngrams]
        self.log_lag = np.log(np.maximum(np.arange(window + 1), 1))
        self.log_unigram = np.log(np.sum(unigrams, axis=0)) if unigrams else NONE

    @classmethod
    def from_files(
        cls,
        index: str | Path | None = None,
        tokenizer: str | Path | None = None,
        encoder: str | Path | None = None,
        weights: str | Path | None = None,
    ) -> "WeightedGIM":
        """Load a predictor; what is None is what ships with this package, and no corpus.

        Parameters
        ----------
        index : path, optional
            Folder that ``gim index`` wrote, with the same tokenizer.
        tokenizer : path, optional
            As `gim.text.tokenizer.load_tokenizer` takes it.
        encoder : path, optional
            Folder of a saved encoder.
        weights : path, optional
            File of ``gim tune``.

        Raises
        ------
        InputError
            If a file is missing, or the index was made with another tokenizer.
        """
        from gim.encoder.encoder import Encoder

        ids = load_tokenizer(tokenizer)
        corpus = InfiniGram(index, ids) if index else None
        return cls(ids, corpus, Encoder.from_pretrained(encoder), load_weights(weights))

    def stream(self) -> "WeightedStream":
        """A predictor for a context that grows token by token."""
        return WeightedStream(self)

    def predict(self, ids: ArrayLike, evidence: int = 5) -> Prediction:
        """Predict what follows ``ids``, as `gim.induction.model.GIM.predict` does."""
        stream = self.stream()
        stream.extend(ids)
        return stream.predict(evidence)

    def score(self, ids: ArrayLike, targets: ArrayLike) -> tuple[Scores, NDArray[np.str_]]:
        """Teacher forcing.

        Parameters
        ----------
        ids, targets : int arrays of shape (n,)
            ``targets[t]`` is what came after ``ids[t]``; -1: not scored.

        Returns
        -------
        scores : Scores of length n
        source : array of str
            What gave the most probable token most of its probability.
        """
        tokens, goals = check_ids(ids, self.tokenizer), np.asarray(targets, np.int64)
        if goals.shape != tokens.shape:
            raise ValueError(f"{len(goals)} targets for {len(tokens)} tokens")
        out, source = Scores.empty(len(tokens)), np.full(len(tokens), "", dtype="<U16")
        for t, stream in self.walk(tokens, np.flatnonzero(goals >= 0)):
            p = stream.distribution()
            out[t] = ranked(p, goals[t], stream.place.longest)
            source[t] = SOURCES[int(stream.shares(int(out.top[t])).argmax())]
        return out, source

    def states(self, ids: NDArray[np.int64]) -> NDArray | None:
        """The encoder's states after each token of a text, (n, size); None without an encoder."""
        return None if self.metric is None else self.metric.stream(self.tokenizer).push(ids)

    def walk(
        self, ids: NDArray[np.int64], places: NDArray[np.int64], states: NDArray | None = None
    ) -> "Iterator[tuple[int, WeightedStream]]":
        """Read a text; yield each of some places, ascending, and the stream after its token.

        ``states`` are those of `states`, if they are at hand.
        """
        stream = self.stream()
        for begin in range(0, len(ids), SECTION):
            end = begin + SECTION
            stream.read(ids[begin:end], None if states is None else states[begin:end])
            for place in places[(places >= begin) & (places < end)].tolist():
                stream.advance(place + 1 - stream.n_seen)
                yield place, stream
            stream.advance()


def _ngrams(index: InfiniGram) -> list[tuple[KneserNey, float]]:
    """The n-gram model of each index, and its share of the tokens."""
    models = [KneserNey(path) for path in index.paths]
    return list(zip(models, index.shares, strict=True))


class WeightedStream:
    """State of a `WeightedGIM` over a growing context. Memory is O(window)."""

    def __init__(self, model: WeightedGIM) -> None:
        self._model = model
        size = model.window + SECTION
        self._ids = np.empty(size, np.int64)
        self._runs, self._agree = np.zeros(size, np.int64), np.zeros(size, np.int64)
        self._states: NDArray | None = None
        self._encode = None if model.metric is None else model.metric.stream(model.tokenizer)
        self._end = 0  # tokens in the buffers
        self._at = 0  # of which consumed
        self._before = 0  # consumed and dropped
        self._match, self._matched = Match(0, ()), 0
        self._place: Place | None = None
        self._weighed: Weighed | None = None
        self._p = np.empty(model.tokenizer.vocab_size)
        self._work: tuple[Any, ...] = (
            np.empty(model.window, np.int64),
            np.zeros((model.window, len(SLOPES))),
            np.empty(len(GATE)),
            np.empty(len(SOURCES), np.bool_),
            np.empty(model.tokenizer.vocab_size if model.ngrams else 0),
        )

    @property
    def n_seen(self) -> int:
        """Tokens consumed so far."""
        return self._before + self._at

    @property
    def context(self) -> NDArray[np.int64]:
        """The last ``window`` tokens (a view)."""
        return self._ids[max(0, self._at - self._model.window) : self._at]

    def copy(self) -> "WeightedStream":
        """An independent stream at the same place: to look ahead and come back."""
        other = copy(self)
        for name in ("_ids", "_runs", "_agree", "_p"):
            setattr(other, name, getattr(self, name).copy())
        other._states = None if self._states is None else self._states.copy()
        other._encode = deepcopy(self._encode)
        other._work = tuple(part.copy() for part in self._work)
        other._place = other._weighed = None
        return other

    def push(self, token: int) -> None:
        """Consume one token."""
        self.extend([token])

    def extend(self, ids: ArrayLike) -> None:
        """Consume tokens."""
        tokens = check_ids(ids, self._model.tokenizer)
        for begin in range(0, len(tokens), SECTION):
            self.read(tokens[begin : begin + SECTION])
            self.advance()

    def read(self, tokens: NDArray[np.int64], states: NDArray | None = None) -> None:
        """Take in at most `SECTION` tokens, states made at once; `advance` consumes them.

        ``states`` are the encoder's after each; who gives them of some tokens gives them of all.
        """
        if self._end + len(tokens) > len(self._ids):
            self._drop()
        end = self._end + len(tokens)
        self._ids[self._end : end] = tokens
        if self._encode is not None:
            states = self._encode.push(tokens) if states is None else states
            if self._states is None:
                self._states = np.empty((len(self._ids), states.shape[1]), states.dtype)
            self._states[self._end : end] = states
        self._end = end

    def _drop(self) -> None:
        """Forget what is before the window."""
        begin = max(0, self._at - self._model.window)
        parts = [self._ids, self._runs, self._agree]
        for part in parts if self._states is None else [*parts, self._states]:
            part[: self._end - begin] = part[begin : self._end].copy()
        self._end, self._at, self._before = (
            self._end - begin,
            self._at - begin,
            self._before + begin,
        )

    def advance(self, n: int | None = None) -> None:
        """Consume so many of the tokens that were read (default: all)."""
        stop = self._end if n is None else self._at + n
        kernel.advance_all(self._ids, self._at, stop, self._model.window, self._runs, self._agree)
        self._at = stop
        self._place = self._weighed = None

    @property
    def place(self) -> Place:
        """What speaks for the next token; its arrays hold until more tokens are consumed."""
        if self._place is None:
            self._place = self._look()
        return self._place

    @property
    def weighed(self) -> Weighed:
        """The weights of the place's votes and sources."""
        if self._weighed is None:
            self._weighed = weigh(self.place, self._model.weights, self._encode is not None)
        return self._weighed

    def _look(self) -> Place:
        model, context = self._model, self.context
        classes, votes, known, present, p = self._work
        low, n = self._at - len(context), max(0, len(context) - 1)
        found, match, followers, counts = [], None, NO_IDS, NO_IDS
        if model.index is not None:
            begins = self.n_seen == len(context)
            found = read_ngrams(model.ngrams, context, begins, p)
            match = self._longest(context, found)
            if any(hi > lo for lo, hi in match.ranges):
                followers, counts = model.index.counts_after(match)
        cosines = NONE
        if self._states is not None and n:
            cosines = self._states[low : low + n] @ self._states[self._at - 1]
        here = self._ids, low, n, self._runs, self._agree
        logs = model.log_unigram, model.log_lag
        longest = kernel.observe(*here, cosines, p, *logs, classes, votes)
        seen = low, n, classes[:n], votes[:n], found, p, match, followers, counts, longest
        place = Place(*seen, known, present)
        know(place, float(cosines.max()) if len(cosines) else 0.0)
        return place

    def _longest(self, context: NDArray[np.int64], found: list[NGrams]) -> Match:
        """Longest suffix in the corpus; without ranges where n-grams know what follows it."""
        index = self._model.index
        assert index is not None
        known = max(int(np.count_nonzero(part.totals)) for part in found)
        # The beginning of a document counts as a token of the n-grams.
        match = Match(min(known, len(context)), ())
        if any(known == len(part.nodes) for part in found):
            # A match can grow by one with every token, so longer suffixes need no look-up.
            limit = self._match.length + self.n_seen - self._matched
            longer = index.longest(context[max(0, len(context) - limit) :])
            match = longer if longer.length > known else match
        self._match, self._matched = match, self.n_seen
        return match

    def distribution(self) -> NDArray[np.float64]:
        """Probability of every token, shape (vocab_size,); an array that the next call reuses."""
        kernel.mix(*self._sources, self._p)
        return self._p

    def shares(self, token: int) -> NDArray[np.float64]:
        """What each source gives a token, by `SOURCES`; they sum to its probability."""
        out = np.empty(len(SOURCES))
        kernel.give(*self._sources, len(self._p), token, out)
        return out

    @property
    def _sources(self) -> Any:
        """What the kernels that put the sources together need."""
        place, found = self.place, self.weighed
        votes = self._ids, place.low, place.n, found.attention, found.weights
        return *votes, place.p, place.followers, place.counts

    def explain(self, token: int, evidence: int = 5) -> Attribution:
        """The passages behind the probability of a token, and what remains."""
        view = Passages(self.place, self.weighed, self.context, self.n_seen, self._model.index)
        return view.of(token, self.shares(token), evidence)

    def predict(self, evidence: int = 5) -> Prediction:
        """Predict the next token; see `GIM.predict`. Evidence is that of the most probable one."""
        p = self.distribution()
        order = np.argsort(-p, kind="stable")
        top, place = int(order[0]), self.place
        shown = self.explain(top, evidence) if evidence else Attribution(top, float(p[top]), {})
        lengths = {"exact": place.longest}
        if place.match is not None:
            lengths["infinigram"] = place.match.length
        weights = zip(SOURCES, self.weighed.weights, strict=True)
        why = "weights: " + ", ".join(f"{name} {w:.1%}" for name, w in weights if w >= 0.0005)
        return Prediction(
            order,
            p[order],
            max(lengths.values()),
            SOURCES[int(self.shares(top).argmax())],
            why,
            lengths,
            shown.passages,
            shown.remainder,
        )
