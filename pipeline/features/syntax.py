"""Syntax without a parser: words of closed classes, clauses by them, and repetition. English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.dataset.story import Story
from pipeline.embedding.eng1000 import fold
from pipeline.features.base import Kind
from pipeline.features.speech import silence_before, since_last

# Words of a class that takes no new ones; one word may belong to several.
CLASSES = {
    "determiners": "a an the this that these those each every either neither some any no another "
    "such what which whose my your his her its our their both all half",
    "first person": "i me my mine myself we us our ours ourselves i'm i've i'd i'll we're we've "
    "we'd we'll",
    "second person": "you your yours yourself yourselves you're you've you'd you'll",
    "third person": "he him his himself she her hers herself it its itself they them their theirs "
    "themselves he's he'd he'll she's she'd she'll it's it'd it'll they're they've they'd they'll",
    "prepositions": "about above across after against along among around at before behind below "
    "beneath beside besides between beyond by despite down during except for from in inside into "
    "like near of off on onto out outside over past per since through throughout till to toward "
    "towards under underneath until up upon with within without",
    "coordination": "and but or nor so yet",
    "subordination": "after although as because before if once since than that though till unless "
    "until when whenever where whereas wherever whether while",
    "question words": "who whom whose which what when where why how who's what's where's how's",
    "auxiliaries": "am is are was were be been being have has had having do does did will would "
    "shall should can could may might must i'm i've i'd i'll you're you've you'd you'll he's he'd "
    "he'll she's she'd she'll it's it'd it'll we're we've we'd we'll they're they've they'd "
    "they'll that's there's who's what's where's how's here's gonna gotta wanna",
    "negation": "not no never none nobody nothing nowhere neither nor cannot ain't aren't can't "
    "couldn't didn't doesn't don't hadn't hasn't haven't isn't mustn't needn't shouldn't wasn't "
    "weren't won't wouldn't",
    "hesitation": "uh um er erm ah oh hm hmm mm like well yeah",
}
OPENING = ("coordination", "subordination", "question words")  # a clause may begin with them
OWN = (
    "closed class",
    "words of the clause so far",
    "word said twice on end",
    "two words said twice on end",
    "words since it was said",
)
COLUMNS = (*CLASSES, *OWN)


def members(words: Sequence[str]) -> np.ndarray:
    """Whether each word belongs to each of the `CLASSES`; bool, shape (n_words, n_classes).

    Negated auxiliaries belong to both classes, which are written once.
    """
    table = {name: set(listed.split()) for name, listed in CLASSES.items()}
    table["auxiliaries"] |= {word for word in table["negation"] if word.endswith("n't")}
    found = [[word in listed for listed in table.values()] for word in words]
    return np.array(found, bool).reshape(len(words), len(CLASSES))


def said_on_end(words: Sequence[str], n: int) -> np.ndarray:
    """Whether the n words that end with each one are those just before them; bool, (n_words,).

    >>> said_on_end("i was i was there".split(), 2).tolist()
    [False, False, False, True, False]
    """
    ends = range(1, len(words) + 1)
    return np.array(
        [i >= 2 * n and words[i - n : i] == words[i - 2 * n : i - n] for i in ends], bool
    )


def since_said(words: Sequence[str]) -> np.ndarray:
    """Words since each was last said, (n_words,); of new ones, the words said so far."""
    last: dict[str, int] = {}
    since = np.zeros(len(words))
    for i, word in enumerate(words):
        since[i] = i - last.get(word, 0)
        last[word] = i
    return since


def of_words(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """What is counted of each word, (n_words, n_columns) in the order of `COLUMNS`."""
    words = [fold(word) for word in story.words["word"]]
    onset, offset = (story.words[name].to_numpy(float) for name in ("onset", "offset"))
    classes = members(words)
    opens = classes[:, [list(CLASSES).index(name) for name in OPENING]].any(axis=1)
    clause = since_last(opens | (silence_before(onset, offset) >= options["pause"]))
    own = [
        classes.any(axis=1),
        np.log1p(clause),
        said_on_end(words, 1),
        said_on_end(words, 2),
        np.log1p(since_said(words)),
    ]
    return np.column_stack([classes, *own]).astype(float)


def compute(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """Counts of the words about their means over the story, (n_rows, len(COLUMNS))."""
    values = of_words(story, options)
    values -= values.mean(axis=0) if len(values) else 0.0
    return story.to_rows(values, options["downsample"])


KIND = Kind(
    "syntax",
    "stimulus",
    compute,
    zscore="story",
    options={"downsample": "lanczos", "pause": 0.25},
    columns=lambda options: COLUMNS,
)
