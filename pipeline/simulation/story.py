"""Telling a story: which phrase comes when, and when each of its words is said."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pipeline.dataset.grid import Grid
from pipeline.simulation.grammar import Filler, draw_phrases, ngrams
from pipeline.simulation.settings import N_DECOYS, N_PHRASES, Settings

MAX_SPAN = 4.0  # seconds from the first to the last onset of a phrase: within 3 TRs of 2 s
NEW_EVENT = 0.4  # probability of a new event rather than a recurrence, until there are enough
PACE = 0.12  # spread of the speech rate from phrase to phrase, and from word to word
PAUSES = (0.25, 0.75)  # seconds between phrases
MARKERS = ("sp", "sp", "sp", "sp", "{BR}", "{LG}", "{NS}")  # as the dataset's transcripts have


@dataclass(frozen=True)
class Occurrence:
    """One telling of an event or decoy.

    Parameters
    ----------
    phrase : int
        Which event or decoy of the story.
    occurrence : int
        How often it was told before.
    kind : {"first", "verbatim", "paraphrase", "decoy"}
        Whether its words are those of the telling before.
    words : tuple of str
        Its words.
    onset, offset : float
        Start of its first and end of its last word, seconds from the start of the sound.
    row_first, row_last : int
        Rows in which its first and its last word start.
    earlier : Occurrence or None
        The telling before.
    """

    phrase: int
    occurrence: int
    kind: str
    words: tuple[str, ...]
    onset: float
    offset: float
    row_first: int
    row_last: int
    earlier: Occurrence | None = field(repr=False)


@dataclass(frozen=True)
class Story:
    """A story told.

    Parameters
    ----------
    name : str
        Its name.
    grid : Grid
        Its TR grid.
    words : list of (onset, offset, word)
        Seconds from the start of the sound; in order, not overlapping.
    markers : list of (onset, offset, marker)
        Pauses and noises between the phrases.
    occurrences : list of Occurrence
        Events and decoys in the order of telling.
    """

    name: str
    grid: Grid
    words: list[tuple[float, float, str]]
    markers: list[tuple[float, float, str]]
    occurrences: list[Occurrence]


def tell(name: str, rng: np.random.Generator, settings: Settings) -> Story:
    """Tell a story from the first second of the sound to the end of the last row.

    After every filler sentence the teller looks whether events, then decoys, fall short of their
    share of the rows so far, and tells one if so; otherwise, more filler.
    """
    n_rows = int(rng.integers(settings.rows[0], settings.rows[1] + 1))
    grid = Grid(n_scanned=n_rows - Grid(n_scanned=0).n_rows)  # that is, trimmed to n_rows
    return _Teller(name, grid, rng, settings).tell()


class _Teller:
    def __init__(self, name: str, grid: Grid, rng: np.random.Generator, settings: Settings) -> None:
        self.name, self.grid, self.rng, self.settings = name, grid, rng, settings
        self.filler = Filler(rng)
        self.phrases = draw_phrases(rng, N_PHRASES)
        self.words: list[tuple[float, float, str]] = []
        self.markers: list[tuple[float, float, str]] = []
        self.occurrences: list[Occurrence] = []
        self.told: set[tuple[str, ...]] = set()  # n-grams so far
        self.time = 0.0

    def tell(self) -> Story:
        end = self.grid.n_rows * self.grid.tr + self.grid.trim[0] * self.grid.tr
        end -= self.grid.sound_start
        self._pause()
        while self.time < end - 2.5 * MAX_SPAN:
            self._say(self.filler.draw(self.told))
            self._tell_due()
        return Story(self.name, self.grid, self.words, self.markers, self.occurrences)

    def _tell_due(self) -> None:
        """Tell an event or a decoy if their shares of the rows ask for one."""
        row = int(self.grid.row_of(np.array(self.time)))
        if row < 0:
            return
        shares = {False: self.settings.event_share, True: self.settings.decoy_share}
        for decoy, share in shares.items():
            if self._rows_told(decoy) < share * row + self.rng.uniform(-1.5, 1.5):
                chosen = self._choose(row, decoy)
                if chosen is not None:
                    self._tell_phrase(*chosen)
                    return

    def _rows_told(self, decoy: bool) -> int:
        return sum(
            o.row_last - o.row_first + 1 for o in self.occurrences if (o.kind == "decoy") == decoy
        )

    def _choose(self, row: int, decoy: bool) -> tuple[int, str] | None:
        """Choose a phrase that was told long enough ago, or a new one, and how to tell it.

        None if there is none.
        """
        pool = range(N_DECOYS) if decoy else range(N_DECOYS, N_PHRASES)
        last = {o.phrase: o.row_first for o in self.occurrences if o.phrase in pool}
        due = [p for p, earlier in last.items() if row - earlier >= self.settings.min_lag]
        new = [p for p in pool if p not in last]
        wanted = N_DECOYS if decoy else self.settings.n_events
        if new and (not due or (len(last) < wanted and self.rng.random() < NEW_EVENT)):
            return new[0], "decoy" if decoy else "first"
        if not due:
            return None
        kind = "decoy" if decoy else "verbatim"
        if not decoy and self._paraphrase_next():
            fresh = [p for p in due if self._n_used(p) < len(self.phrases[p].wordings)]
            due, kind = (fresh, "paraphrase") if fresh else (due, kind)
        return due[self.rng.integers(len(due))], kind

    def _n_used(self, phrase: int) -> int:
        """Number of wordings of an event told so far."""
        return sum(o.phrase == phrase and o.kind != "verbatim" for o in self.occurrences)

    def _tell_phrase(self, phrase: int, kind: str) -> None:
        before = [o for o in self.occurrences if o.phrase == phrase]
        wordings = self.phrases[phrase].wordings
        words = before[-1].words if before else wordings[0]
        if kind == "paraphrase":
            words = wordings[self._n_used(phrase)]
        first = len(self.words)
        self._say(words)
        onset, offset = self.words[first][0], self.words[-1][1]
        rows = self.grid.row_of(np.array([onset, self.words[-1][0]]))
        self.occurrences.append(
            Occurrence(
                phrase=phrase, occurrence=len(before), kind=kind,
                words=words, onset=onset, offset=offset,
                row_first=int(rows[0]), row_last=int(rows[1]),
                earlier=before[-1] if before else None,
            )
        )  # fmt: skip

    def _paraphrase_next(self) -> bool:
        """Draw so that the share of paraphrases is never more than one recurrence off."""
        kinds = [o.kind for o in self.occurrences]
        n_paraphrases = kinds.count("paraphrase")
        wanted = self.settings.paraphrase_share * (n_paraphrases + kinds.count("verbatim") + 1)
        return bool(self.rng.random() < wanted - n_paraphrases)

    def _say(self, words: tuple[str, ...]) -> None:
        """Say a phrase and pause."""
        duration = np.array([0.6 + 0.08 * len(word) for word in words])
        duration *= np.exp(self.rng.normal(0, PACE) + self.rng.normal(0, PACE, len(words)))
        duration /= self.settings.words_per_second
        duration *= min(1.0, (MAX_SPAN - 0.01) / duration[:-1].sum())
        times = np.round(self.time + np.r_[0, np.cumsum(duration)], 3).tolist()
        self.words += zip(times[:-1], times[1:], words, strict=True)
        recent = [word for _, _, word in self.words[-len(words) - self.filler.n :]]
        self.told.update(ngrams(recent, self.filler.n))
        self.time = times[-1]
        self._pause()

    def _pause(self) -> None:
        end = round(self.time + float(self.rng.uniform(*PAUSES)), 3)
        marker = MARKERS[self.rng.integers(len(MARKERS))]
        self.markers.append((self.time, end, marker))
        self.time = end
