"""Does anything reach a prediction that must not? Asked of the features that were written.

For sampled rows t of sampled stories every band made from BOLD is computed anew, with the story's
BOLD replaced from some row on, or its words from some moment on: the newest row, and the newest
word, whose replacement changes what the design says at t, is the newest one used. Nothing that a
module declares about itself enters. Besides, every file must be what its inputs give, the principal
components and the scaling those of the training stories alone. What bands made from a memory of
passages are asked stands in `pipeline.recall.checks`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.bands.compute import BandFile, band_features, of_recording, story_matches
from pipeline.bands.registry import LAG, BandOptions, kind_of
from pipeline.core.errors import LeakError
from pipeline.dataset.basis import BasisFile, fit_basis
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.story import Story, read_story
from pipeline.fit.design import Band, make_band
from pipeline.matchers import lag
from pipeline.matching.matches import (
    Matches,
    best_of_rows,
    drop_below,
    load_matches,
    newest_match,
)
from pipeline.recall.checks import MemoryAudit

COLUMNS = ["band", "story", "row", "newest_bold", "newest_word_seconds"]
WORD_WINDOW = 4  # TRs before the end of a row in which its newest word is looked for
NEW_WORD = "zyzzyva"  # no story has it


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What was made for a subject, and from what.

    Parameters
    ----------
    dataset : Dataset
        Where the responses are.
    name : str
        The subject.
    train, test : lists of str
        Its stories.
    words : DataFrame
        All words (`pipeline.dataset.story.read_stories`).
    basis : path
        HDF5 of the principal components.
    features, matches : dicts of str to path
        Files of the bands made from BOLD.
    options : dict of str to BandOptions
        Options of these bands and of the matchers whose matches are redrawn.
    delays : sequence of int
        FIR delays of word features.
    seed : int
        Seed of the random controls.
    memories : sequence of MemoryAudit
        Bands that search a memory of passages, and those that use what they find.
    """

    dataset: Dataset
    name: str
    train: list[str]
    test: list[str]
    words: pd.DataFrame
    basis: str | Path
    features: dict[str, str | Path]
    matches: dict[str, str | Path]
    options: dict[str, BandOptions]
    delays: Sequence[int]
    seed: int
    memories: Sequence[MemoryAudit] = ()

    @property
    def stories(self) -> list[str]:
        """Training and test stories."""
        return [*self.train, *self.test]

    def story(self, name: str) -> Story:
        """A story as features see it."""
        return read_story(self.dataset, self.words, name)


def audit(subject: Subject, *, n_stories: int, n_rows: int, seed: int) -> pd.DataFrame:
    """Look for leaks in bands made from a subject's BOLD or recordings, or from a memory.

    Parameters
    ----------
    subject : Subject
        What was made.
    n_stories : int
        Stories sampled from the training and from the test stories, each.
    n_rows : int
        Rows sampled from each.
    seed : int
        Seed of the samples.

    Returns
    -------
    DataFrame
        `COLUMNS`: for each band and sampled row, the newest BOLD row used, relative to the row
        predicted, and the newest word used by its newest matches, in seconds relative to the end of
        the row that they were made for (empty where there is none).

    Raises
    ------
    LeakError
        Listing everything that was found.
    """
    rng = np.random.default_rng(seed)
    sampled = [
        str(story)
        for group in (subject.train, subject.test)
        for story in rng.choice(group, min(n_stories, len(group)), replace=False)
    ]
    leaks = _basis_leaks(subject)
    records: list[dict[str, Any]] = []
    for band in subject.features:
        check = BandAudit(subject, band)
        leaks += check.scaling_leaks()
        for story in sampled:
            leaks += check.file_leaks(story)
            if check.kind.source == "recording":
                continue  # it has no words, and no BOLD that a prediction may not have
            n = subject.dataset.grid(story).n_rows
            for row in sorted(rng.integers(n // 4, n, n_rows).tolist()):
                record, found = check.row(story, row)
                records.append(record)
                leaks += found
    for memory in subject.memories:
        leaks += memory.leaks(sampled)
        for name in sampled:
            n = subject.dataset.grid(name).n_rows
            for row in sorted(rng.integers(n // 4, n, n_rows).tolist()):
                record, found = memory.row(subject.story(name), row)
                records.append(record)
                leaks += found
    if leaks:
        raise LeakError(leaks)
    return pd.DataFrame(records, columns=COLUMNS)


class BandAudit:
    """One band of a subject, computed again with parts of its input replaced."""

    def __init__(self, subject: Subject, band: str) -> None:
        self.subject, self.name = subject, band
        self.options = subject.options[band]
        self.kind = kind_of(self.options.kind)
        self.scores = BasisFile(subject.basis).scores(subject.stories)
        self.matches = load_matches(subject.matches[band]) if band in subject.matches else {}
        self.written = BandFile(subject.features[band]).read(subject.stories)
        self.band = self._make(self.written)
        self._rematched: dict[str, Matches] = {}

    def _make(self, values: dict[str, np.ndarray]) -> Band:
        s = self.subject
        return make_band(self.name, values, self.options, s.delays, s.train)

    def _features(self, story: str, scores: np.ndarray) -> np.ndarray:
        if self.kind.source == "recording":
            s = self.subject
            values = of_recording(s.dataset, s.name, story, self.options)
        else:
            values = band_features(self.options, scores, self.matches.get(story))
        return values.astype(np.float32).astype(np.float64)

    def scaling_leaks(self) -> list[str]:
        """Whether the test stories' features move the training stories' design."""
        moved = {s: v if s in self.subject.train else 7 * v + 3 for s, v in self.written.items()}
        after = self._make(moved)
        same = all(np.array_equal(after.values[s], self.band.values[s]) for s in self.subject.train)
        what = f"{self.name}: scaling or components depend on the test stories"
        return [] if same else [what]

    def file_leaks(self, story: str) -> list[str]:
        """Whether the file is what the components, the words and the matches give."""
        of = "table" if self.kind.source == "recording" else "past BOLD"
        what = f"{self.name}, {story}: the features written are not those of its {of}"
        leaks = []
        if not np.allclose(
            self._features(story, self.scores[story]), self.written[story], rtol=1e-4, atol=1e-5
        ):
            leaks.append(what)
        if self.matches and not _equal(self.matches[story], self._rematch(story)):
            leaks.append(f"{self.name}, {story}: the matches written are not those of its words")
        return leaks

    def row(self, story: str, row: int) -> tuple[dict[str, Any], list[str]]:
        """Newest BOLD and word used for the prediction of a row, and what is wrong with them."""
        horizon = self.options.own["horizon"]
        newest = self._newest_bold(story, row)
        record = {"band": self.name, "story": story, "row": row, "newest_word_seconds": np.nan}
        record["newest_bold"] = np.nan if newest is None else newest - row
        place, leaks = f"{self.name}, {story}, row {row}", []
        if newest is not None and newest > row - horizon:
            leaks.append(f"{place}: BOLD of row {newest} is used, newer than {row - horizon}")
        if self.matches and self.options.kind != LAG:
            late = self._newest_word(story, row - min(self.band.delays))
            record["newest_word_seconds"] = late
            if late >= 0:
                leaks.append(f"{place}: a match uses a word {late:.2f} s after its row's end")
        return record, leaks

    def _newest_bold(self, story: str, row: int) -> int | None:
        """Newest row of the story's BOLD that the design at `row` depends on."""
        rows = [row - d for d in self.band.delays if row >= d]
        original = self._features(story, self.scores[story])[rows]
        noise = np.random.default_rng(0).standard_normal(self.scores[story].shape)

        def matters(first: int) -> bool:
            changed = self.scores[story].copy()
            changed[first:] += 10 * (1 + np.abs(changed[first:])) * noise[first:]
            return not np.array_equal(self._features(story, changed)[rows], original)

        return _last(matters, 0, len(noise))

    def _rematch(self, name: str) -> Matches:
        """Matches of a story as its words give them, made once for all sampled rows."""
        if self.options.kind == LAG:
            return self._control[name]
        if name not in self._rematched:
            self._rematched[name] = self._match(self.subject.story(name))
        return self._rematched[name]

    def _match(self, story: Story) -> Matches:
        s = self.subject
        matched = story_matches(story, s.name, self.name, self.options, s.seed)
        return matched if self._threshold is None else drop_below(matched, self._threshold)

    @cached_property
    def _threshold(self) -> float | None:
        """The least similarity that was kept in the training stories, if some were dropped."""
        if self.options.matching.best_fraction is None:
            return None
        kept = np.concatenate([best_of_rows(self.matches[s]) for s in self.subject.train])
        return float(np.nanmin(kept))

    @cached_property
    def _control(self) -> dict[str, Matches]:
        """The lag control of the matches that were written."""
        s, o = self.subject, self.options
        newest = {x: newest_match(s.dataset.grid(x).n_rows, o.matching) for x in s.stories}
        return lag.control(
            load_matches(s.matches[o.own["of"]]), newest, s.train, s.seed, f"{s.name}/{self.name}",
            o.own["draws"], o.own["bins"],
        )  # fmt: skip

    def _newest_word(self, name: str, row: int) -> float:
        """Onset of the newest word that the match of `row` depends on, after the row's end."""
        story = self.subject.story(name)
        onsets, grid = story.words["onset"].to_numpy(), story.grid
        end = grid.volume_starts()[grid.kept][max(row, 0)] + grid.tr
        first = int(np.searchsorted(onsets, end - WORD_WINDOW * grid.tr))
        original = _of_row(self._rematch(name), row)

        def matters(word: int) -> bool:
            changed = story.words.copy()
            changed.loc[word:, "word"] = NEW_WORD
            return _of_row(self._match(Story(name, changed, grid)), row) != original

        word = _last(matters, first, len(onsets))
        return np.nan if word is None else float(onsets[word] - end)


def _last(matters: Callable[[int], bool], first: int, end: int) -> int | None:
    """Largest i in first..end-1 such that replacing everything from i on matters; None if none."""
    if first >= end or not matters(first):
        return None
    low, high = first, end  # matters(low), not matters(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if matters(middle) else (low, middle)
    return low


def _basis_leaks(subject: Subject) -> list[str]:
    """Whether the principal components are those of the training stories' BOLD."""
    file = BasisFile(subject.basis)
    written = file.basis()
    own = fit_basis(subject.dataset, subject.name, subject.train, len(written.components))
    leaks = []
    same = np.allclose(own.components, written.components, atol=1e-3)
    if not (same and np.allclose(own.mean, written.mean)):
        leaks.append("the principal components are not those of the training stories")
    for story, scores in file.scores(subject.stories).items():
        expected = own.scores(subject.dataset.read_responses(subject.name, story))
        if not np.allclose(scores, expected, atol=1e-2 * expected.std()):
            leaks.append(f"{story}: the component scores are not those of its BOLD")
    return leaks


def _equal(a: Matches, b: Matches) -> bool:
    return all(
        np.array_equal(getattr(a, key), getattr(b, key), equal_nan=True)
        for key in ("row", "match_row", "weight", "similarity")
    )


def _of_row(matches: Matches, row: int) -> list[tuple[int, float, float]]:
    mine = matches.row == row
    values = (
        matches.match_row[mine],
        matches.weight[mine],
        np.nan_to_num(matches.similarity[mine]),
    )
    return list(zip(*(v.tolist() for v in values), strict=True))
