"""Which tier of a TextGrid holds the words, where none is named so: what its labels look like.

Aligners and annotators name tiers by habits of their own (`ORT`, `KAN` and `MAU` of WebMAUS, the
speaker's name), and put sentences, words, syllables and phones of one recording side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.readers.words import MARKERS

# Words share these with no other tier of the same recording. All are wide of what words have, and
# where two tiers pass, neither is taken.
LONGEST_MEDIAN = 1.5  # seconds; sentences and turns last longer, also those written without spaces
MOST_SPACED = 0.2  # share of labels with blanks in them, which sentences have
LEAST_TIME = 0.7  # of what the fullest tier labels; breaths and noises take little
SAME_COUNT = 1.1  # labels of tiers that cut the recording alike, a ratio
LEAST_TYPES = 0.5  # different labels, of most among such tiers; parts of speech are few
CLEARER = 0.2  # share of labels that look written, above that of every other such tier
SHORTER = 1.25  # characters of a word over those of its parts; another speaker's words are as long


@dataclass(frozen=True)
class Tier:
    """Labels of an interval tier, with how long each lasts.

    Parameters
    ----------
    labels : sequence of str
        As transcribed.
    lengths : array of shape (n_labels,)
        Seconds; NaN where the times are no numbers.
    """

    labels: Sequence[str]
    lengths: np.ndarray

    @classmethod
    def of(cls, labels: Sequence[str], lengths: np.ndarray) -> Tier:
        """Only the labels that say something: no silences, noises and brackets."""
        said = [i for i, label in enumerate(labels) if _is_said(label)]
        return cls([labels[i].strip() for i in said], np.asarray(lengths, float)[said])

    @property
    def time(self) -> float:
        """Seconds labelled."""
        return float(np.nansum(self.lengths))

    @cached_property
    def n_types(self) -> int:
        """Different labels."""
        return len(set(self.labels))

    @cached_property
    def characters(self) -> float:
        """Characters of a label on average."""
        return float(np.mean([len(label) for label in self.labels]))

    @cached_property
    def written(self) -> float:
        """Share of labels that look as words are written, not as they sound (`jEs`, `n@Um`)."""
        return float(np.mean([_is_written(label) for label in self.labels]))

    @property
    def is_of_words(self) -> bool:
        """Whether the labels can be single words, or parts of such."""
        spaced = np.mean([len(label.split()) > 1 for label in self.labels])
        return bool(spaced <= MOST_SPACED and np.nanmedian(self.lengths) <= LONGEST_MEDIAN)


def word_tier(tiers: Sequence[Tier]) -> int | None:
    """The tier of the words: the coarsest one of single words, the one that is spelt as words are.

    Parameters
    ----------
    tiers : sequence of Tier
        All that may be it.

    Returns
    -------
    int or None
        Its index; None if no tier is, or several may be.
    """
    spoken = [tier for tier in tiers if tier.labels]
    fullest = max((tier.time for tier in spoken), default=0.0)
    spoken = [tier for tier in spoken if tier.is_of_words and tier.time >= LEAST_TIME * fullest]
    if not spoken:
        return None
    fewest = min(len(tier.labels) for tier in spoken)
    coarse = [tier for tier in spoken if len(tier.labels) <= SAME_COUNT * fewest]
    most_types = max(tier.n_types for tier in coarse)
    named = [tier for tier in coarse if tier.n_types >= LEAST_TYPES * most_types]
    best, *others = sorted(named, key=lambda tier: -tier.written)
    if any(best.written < tier.written + CLEARER for tier in others):
        return None
    finer = [tier for tier in spoken if tier not in coarse]
    if any(best.characters < SHORTER * tier.characters for tier in finer):
        return None
    return next(i for i, tier in enumerate(tiers) if tier is best)


def _is_said(label: str) -> bool:
    label = label.strip()
    is_marker = label.lower() in MARKERS or label.startswith(("<", "[", "{", "("))
    return any(map(str.isalnum, label)) and not is_marker


def _is_written(label: str) -> bool:
    """Letters in one case, or with a capital at the start; apostrophes, hyphens and points."""
    letters = label.translate(_MARKS)
    return letters.isalpha() and (letters[1:] == letters[1:].lower() or letters == letters.upper())


_MARKS = str.maketrans("", "", "'\N{RIGHT SINGLE QUOTATION MARK}-.,?!")
