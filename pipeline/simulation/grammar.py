"""The story grammar: events that can be told in other words, and filler between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.simulation import lexicon

# An event has four wordings, one a frame. The frames have no function word in common, and each
# takes another synonym of every concept, so that two wordings of an event share no word at all.
FRAMES = (
    "the {quality} {agent} {manner} {action} the {trait} {object} in the {place}",
    "near a {place} this {quality} {agent} {action} a {trait} {object} {manner}",
    "{manner} some {trait} {object} was {action} by that {quality} {agent} at one {place}",
    "from our {place} my {quality} {agent} had {manner} {action} his {trait} {object}",
)
# No two events of a story have these concepts in common, so that its meaning tells an event.
DISTINCT = ("agent", "action", "object", "place")

FILLER = (
    "{link} {subject} felt {feeling} about the {topic}",
    "{subject} {mental} that {owner} {family} was {feeling}",
    "{link} {time} {subject} started {doing} with {owner} {family}",
    "it took {number} {unit} of {doing}",
    "{subject} said {topic} was like {doing}",
    "{owner} {family} never liked {doing} or {topic}",
    "{time} {owner} {family} and {owner} {family} were {doing}",
    "you know {topic} is what {subject} {mental} about",
    "there was no {topic} for {number} {unit}",
    "{subject} could not stop {doing} {link} {subject} felt {feeling}",
    "what {subject} wanted was {topic} and {topic}",
    "{time} {subject} saw a {object} on the {place}",
    "the {agent} looked very {feeling} from up there",
    "{link} {owner} {family} told me about {topic}",
    "how did {subject} just {time} have {number} {unit} of {topic}",
    "{doing} and {doing} all {number} {unit} {link} {subject} {mental} it",
    "i am really {feeling} when {owner} {family} is {doing}",
    "{time} there had been {topic} {link} {topic} for {owner} {family}",
)


@dataclass(frozen=True)
class Phrase:
    """What is told of an event: one tuple of words for each frame, in the order of telling."""

    wordings: tuple[tuple[str, ...], ...]


def draw_phrases(rng: np.random.Generator, n: int) -> list[Phrase]:
    """Draw the events and decoys of a story.

    Parameters
    ----------
    rng : Generator
        Source of the choices.
    n : int
        How many; at most the number of concepts of a category.

    Returns
    -------
    list of Phrase
        No two have an agent, action, object or place in common.
    """
    slots = {
        category: [lexicon.concepts(category)[i] for i in _draw(rng, category, n)]
        for category in (*DISTINCT, "manner")
    }
    qualities = lexicon.concepts("quality")
    pairs = [rng.choice(len(qualities), 2, replace=False) for _ in range(n)]
    slots["quality"] = [qualities[pair[0]] for pair in pairs]
    slots["trait"] = [qualities[pair[1]] for pair in pairs]
    return [_phrase(rng, {slot: values[i] for slot, values in slots.items()}) for i in range(n)]


def _draw(rng: np.random.Generator, category: str, n: int) -> np.ndarray:
    """Indices of `n` concepts, all different where the event must be told by them."""
    return rng.choice(len(lexicon.concepts(category)), n, replace=category not in DISTINCT)


def _phrase(rng: np.random.Generator, concepts: dict[str, list[str]]) -> Phrase:
    synonyms = {slot: rng.permutation(words).tolist() for slot, words in concepts.items()}
    wordings = [
        _tell(frame, {slot: words[i] for slot, words in synonyms.items()})
        for i, frame in enumerate(FRAMES)
    ]
    return Phrase(tuple(wordings[i] for i in rng.permutation(len(wordings))))


def _tell(frame: str, words: dict[str, str]) -> tuple[str, ...]:
    """Words of a frame with its slots filled, with "an" before a vowel."""
    told = frame.format(**words).split()
    following = [*told[1:], ""]
    return tuple(
        "an" if word == "a" and after.startswith(tuple("aeiou")) else word
        for word, after in zip(told, following, strict=True)
    )


class Filler:
    """Sentences between the events, none of which repeats a long n-gram of the story.

    Parameters
    ----------
    rng : Generator
        Source of the choices.
    n : int
        Words in a row that the story must not have told before.
    """

    def __init__(self, rng: np.random.Generator, n: int = 4) -> None:
        self.rng, self.n = rng, n
        self.words = {category: lexicon.words(category) for category in _slots(FILLER)}

    def draw(self, told: set[tuple[str, ...]]) -> tuple[str, ...]:
        """Draw a sentence that has no n-gram of `told` (or the last of many tries)."""
        for _ in range(50):
            sentence = self._draw()
            if not told.intersection(ngrams(sentence, self.n)):
                break
        return sentence

    def _draw(self) -> tuple[str, ...]:
        frame = FILLER[self.rng.integers(len(FILLER))]
        told = []
        for token in frame.split():
            choices = self.words.get(token.strip("{}"), [token])
            told.append(choices[self.rng.integers(len(choices))] if token[0] == "{" else token)
        return _tell(" ".join(told), {})


def _slots(frames: Sequence[str]) -> set[str]:
    return {token.strip("{}") for frame in frames for token in frame.split() if token[0] == "{"}


def ngrams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    """All runs of `n` words."""
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
