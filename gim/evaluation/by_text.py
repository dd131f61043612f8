"""Language models with a tokenizer of their own, compared on the same positions by text.

Two rules make their scores comparable.

Bits: the model reads the text in its own tokens, and the nats of each are spread evenly over its
characters. A position of the other tokenizer has the nats of the characters of the token that came.

Next token: the model reads the text before the position, tokenised anew, and goes on with its most
probable tokens until their text is longer than the token that came, or says something else. Its
answer is the first token of that text in the other tokenizer.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gim.causal.model import score_causal, window_log_probs
from gim.causal.shape import max_context, vocabulary_size
from gim.errors import InputError
from gim.scores import Scores
from gim.text.align import Segmenter
from gim.text.tokenizer import Tokenizer

MOST_TOKENS = 6  # of its own that a model may need for one token of the other tokenizer
LEAST = 1e-30  # a probability below this counts as this
PASSES = 32  # prefixes whose distributions are held at once


@dataclass(frozen=True)
class OtherModel:
    """A causal language model and its own tokenizer."""

    network: Any
    tokenizer: Tokenizer


def score_by_text(
    model: OtherModel,
    tokenizer: Tokenizer,
    ids: NDArray[np.int64],
    targets: NDArray[np.int64],
    context: int = 1024,
) -> Scores:
    """Scores of a model at positions of another tokenizer.

    Parameters
    ----------
    model : OtherModel
    tokenizer : Tokenizer
        Of the ids.
    ids, targets : int arrays of shape (n,)
        As in `gim.induction.exact.ExactInduction.score`.
    context : int
        Longest context in the model's own tokens, as in `gim.causal.model.score_causal`.

    Returns
    -------
    scores : Scores
        ``p_next`` by the first rule; ``top`` by the second, -1 for an answer without text. Its rank
        is not known: a wrong answer counts as worse than all.

    Raises
    ------
    InputError
        When the model's tokenizer does not spell the text.
    """
    out, wanted = Scores.empty(len(ids)), np.flatnonzero(np.asarray(targets) >= 0)
    if len(wanted) == 0:
        return out
    text, ends = tokenizer.text_and_ends(ids)
    line = _Line(model, text, context)
    begins, stops = ends[wanted], ends[wanted + 1]
    found = line.scores(begins, stops)
    out.p_next[wanted] = np.exp(-line.nats(found, begins, stops))
    said = line.answers(found, begins, [text[a:b] for a, b in zip(begins, stops, strict=True)])
    first = [tokenizer.encode(piece)[:1] for piece in said]
    out.top[wanted] = [int(token[0]) if len(token) else -1 for token in first]
    right = out.top[wanted] == np.asarray(targets)[wanted]
    out.greater[wanted] = np.where(right, 0, tokenizer.vocab_size)
    out.equal[wanted] = 1
    return out


class _Line:
    """A text in the model's own tokens."""

    def __init__(self, model: OtherModel, text: str, context: int) -> None:
        self.model, self.text = model, text
        self.context = max_context(model.network, context)
        self.ids = model.tokenizer.encode(text)
        read, ends = model.tokenizer.text_and_ends(self.ids)
        lead = len(read) - len(text)  # SentencePiece begins a text with a space of its own
        if not read.endswith(text) or lead not in (0, 1):
            raise InputError(
                f"tokenizer {model.tokenizer.name} changes the text {text[:40]!r}...: its model "
                "cannot be compared by text"
            )
        self.ends = np.maximum(ends - lead, 0)
        self.lengths = np.diff(self.ends, prepend=0)
        # A token that completes no character belongs to the next one that does.
        whole = np.flatnonzero(self.lengths)
        self.owner = np.minimum(np.searchsorted(whole, np.arange(len(self.ids))), len(whole) - 1)

    def scores(self, begins: NDArray, stops: NDArray) -> Scores:
        """The model's scores of its own tokens that share a character with one of the spans."""
        marked = np.zeros(len(self.text) + 1, np.int64)
        np.add.at(marked, begins, 1)
        np.add.at(marked, stops, -1)
        covered = np.append(0, np.cumsum(np.cumsum(marked[:-1]) > 0))
        ends = self.ends[self.lengths > 0]
        touched = np.diff(covered[ends], prepend=0) > 0
        inside = touched[self.owner]
        goals = np.full(len(self.ids), -1)
        goals[:-1] = np.where(inside[1:], self.ids[1:], -1)
        return score_causal(self.model.network, self.ids, goals, self.context)

    def nats(self, found: Scores, begins: NDArray, stops: NDArray) -> NDArray[np.float64]:
        """Nats of spans of the text; of its first token, which nothing foretells, ln V."""
        size = vocabulary_size(self.model.network)
        own = np.append(np.log(size), -np.log(np.maximum(found.p_next[:-1], LEAST)))
        lengths = self.lengths[self.lengths > 0]
        rate = np.repeat(np.bincount(self.owner, own, minlength=len(lengths)) / lengths, lengths)
        total = np.append(0, np.cumsum(rate))
        return total[stops] - total[begins]

    def answers(self, found: Scores, begins: NDArray, goals: list[str]) -> list[str]:
        """What the model says after each place, as far as it matters."""
        said, asked = [""] * len(begins), []
        at = np.searchsorted(self.ends, begins, side="right") - 1
        safe = self._is_start(begins) & (at >= 0)
        safe &= self.ends[np.maximum(at, 0)] == begins
        safe &= found.equal[np.maximum(at, 0)] > 0  # scored there
        for i, place in enumerate(begins.tolist()):
            if not goals[i]:  # a part of a character has no text to compare
                continue
            if safe[i]:
                said[i] = self._text([int(found.top[at[i]])])
                tokens = [*self.ids[: at[i] + 1][-self.context :].tolist(), int(found.top[at[i]])]
            else:
                tokens = self.model.tokenizer.encode(self.text[:place])[-self.context :].tolist()
            if not safe[i] or _goes_on(said[i], goals[i]):
                asked.append((i, tokens))
        for _ in range(MOST_TOKENS):
            asked = self._continue(asked, said, goals)
        return said

    def _continue(self, asked: list, said: list[str], goals: list[str]) -> list:
        """One more token of those that are not done; returns those that still are not."""
        left = []
        for begin in range(0, len(asked), PASSES):
            part = asked[begin : begin + PASSES]
            rows = window_log_probs(self.model.network, [t[-self.context :] for _, t in part])
            for (i, tokens), token in zip(part, rows.argmax(1).tolist(), strict=True):
                said[i] += self._text([token])
                if _goes_on(said[i], goals[i]):
                    left.append((i, [*tokens, token]))
        return left

    def _text(self, tokens: list[int]) -> str:
        table = self.model.tokenizer.table  # a model may have more ids than its tokenizer
        return self.model.tokenizer.decode([token for token in tokens if token < len(table)])

    def _is_start(self, places: NDArray) -> NDArray[np.bool_]:
        """Whether words begin at places: there a text and its beginning have the same tokens."""
        try:
            starts = Segmenter(self.model.tokenizer).word_starts(self.text)
        except InputError:  # not a byte-level tokenizer: every prefix is read
            return np.zeros(len(places), bool)
        spaces = np.array([self.text[place - 1 : place].isspace() for place in places], bool)
        return np.isin(places, starts) & ~spaces


def _goes_on(said: str, goal: str) -> bool:
    """Whether more of a text is needed to tell if it begins with the goal's token."""
    return len(said) < len(goal) and goal.startswith(said)
