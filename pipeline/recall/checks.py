"""What the audit asks of a memory: nothing of hidden stories, of later words, of the story itself.

As for BOLD (`pipeline.audit`), parts of the input are replaced and the features made again; nothing
that a module declares about itself enters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bands.registry import BandOptions
from pipeline.dataset.grid import Blocks, whole_story
from pipeline.dataset.story import Story
from pipeline.recall.contexts import ContextFile, Contexts, story_contexts
from pipeline.recall.features import RecalledFile, features_file, row_features
from pipeline.recall.memory import Out, versions
from pipeline.recall.recall import Recalled, RecallFile, load_searcher

if TYPE_CHECKING:
    import pandas as pd

SAME = 0.02  # relative distance of states that are one but for rounding: half precision, lengths
NEW_WORD = "zyzzyva"  # no story has it


@dataclass(frozen=True, kw_only=True)
class MemoryAudit:
    """A band that searches a memory, and its files.

    Parameters
    ----------
    band : str
        Its name.
    options : BandOptions
        Its options.
    contexts, recall : path
        What it wrote (`ContextFile`, `RecallFile`).
    folds : mapping of str to int
        Fold of each of the subject's training stories.
    test : sequence of str
        Its test stories.
    blocks : mapping
        `blocks` of the configuration.
    seed : int
        Of the memory's draws.
    features : mapping of str to path
        Features of the bands made from what it recalls (`RecalledFile`), by band.
    through : mapping of str to path
        Of those of them in which another band's rows stand for passages, that band's features.
    """

    band: str
    options: BandOptions
    contexts: str | Path
    recall: str | Path
    folds: Mapping[str, int]
    test: Sequence[str]
    blocks: Blocks
    seed: int
    features: Mapping[str, str | Path]
    through: Mapping[str, str | Path] = field(default_factory=dict)

    def leaks(self, stories: Sequence[str]) -> list[str]:
        """All that is wrong with the files, as far as some stories show it."""
        n = max(self.folds.values()) + 1
        outs: list[Out] = [(), (n - 1,), (0, n - 1)]
        features = (
            leak
            for band, path in self.features.items()
            for leak in feature_leaks(
                band, path, self.recall, stories, outs, self.through.get(band)
            )
        )
        return [*self.name_leaks(), *self.content_leaks(stories, outs), *features]

    def name_leaks(self) -> list[str]:
        """Memories that have a left-out or a test story, and stories that recall themselves."""
        file, leaks = RecallFile(self.recall), []
        if file.folds != dict(self.folds):
            leaks.append(f"{self.band}: the memory was made for other folds")
        names = file.passages()["name"].to_numpy()
        whole = np.array([whole_story(name, self.blocks) for name in names], dtype=object)
        for out in versions(self.folds):
            hidden = [s for s in [*self.folds, *self.test] if self.folds.get(s, -1) in (*out, -1)]
            memory = file.memory(out)
            if found := set(names[memory]) & set(hidden):
                leaks.append(f"{self.band}: without the folds {out} it knows {sorted(found)}")
            for story, recalled in file.read(out, self._asking(out)).items():
                own = whole[np.unique(recalled.index)] == whole_story(story, self.blocks)
                if own.any() or not np.isin(recalled.index, memory).all():
                    leaks.append(f"{self.band}, {story}: it recalls what its memory may not have")
        return leaks

    def _asking(self, out: Out) -> list[str]:
        return [*self.folds, *(() if out else self.test)]

    def content_leaks(self, stories: Sequence[str], outs: Sequence[Out]) -> list[str]:
        """Whether what some stories recall is what the known stories' states give.

        The states of left-out and of test stories are replaced by noise, but for those of the
        story that asks.
        """
        leaks, file = [], RecallFile(self.recall)
        noise = np.random.default_rng(0)
        for out in outs:
            searcher, asked = load_searcher(
                self.contexts, self.folds, self.test, self.options, self.blocks, self.seed
            )
            pool = searcher.pool
            unknown = np.isin(pool.fold, out)
            pool.contexts.states[unknown] = noise.standard_normal((unknown.sum(), 1))
            memory = searcher.memory(out)
            for story in set(stories) & set(self._asking(out)):
                found = searcher.search(memory, story, asked[story])
                if not _alike(found, file.read(out, [story])[story]):
                    place = f"{self.band}, {story}, without the folds {out}"
                    leaks.append(f"{place}: what is recalled is not what the known stories give")
        return leaks

    def row(self, story: Story, row: int) -> tuple[dict[str, Any], list[str]]:
        """Newest word that the state of a row depends on, and what is wrong with it."""
        written = ContextFile(self.contexts).read([story.name])[story.name]
        place = f"{self.band}, {story.name}, row {row}"
        record: dict[str, Any] = {"band": self.band, "story": story.name, "row": row}
        record |= {"newest_bold": np.nan, "newest_word_seconds": np.nan}
        if row not in written.row:
            return record, []
        end = story.grid.volume_starts()[story.grid.kept][row] + story.grid.tr
        onsets = story.words["onset"].to_numpy()
        ended = int(np.searchsorted(onsets, end))
        original = _state(written, row)
        leaks = []
        if not _near(_state(self._again(story, ended), row), original):
            leaks.append(f"{place}: its state depends on words after its end, or on other ones")
        if _near(_state(self._again(story, ended - 1), row), original):
            leaks.append(f"{place}: its state does not depend on its last word")
        else:
            record["newest_word_seconds"] = float(onsets[ended - 1] - end)
        return record, leaks

    def _again(self, story: Story, first: int) -> Contexts:
        """A story's contexts with all words from `first` on replaced."""
        words = story.words.copy()
        words.loc[first:, "word"] = NEW_WORD
        anew = {key: value for key, value in self.options.own.items() if key != "states"}
        return story_contexts(replace(story, words=words), anew)


def feature_leaks(
    band: str,
    path: str | Path,
    recall: str | Path,
    stories: Sequence[str],
    outs: Sequence[Out],
    through: str | Path | None = None,
) -> list[str]:
    """Whether a band's rows are the means of what they recall, or of what `through` says there."""
    made, file, leaks = RecalledFile(path), RecallFile(recall), []
    values, pool = made.values(), file.passages()
    for out in outs:
        memory = file.memory(out)
        own = None if values is None else values[memory]
        if through is not None:
            own = _said(through, out, pool.iloc[memory])
        asking = [s for s in stories if s in file.folds or not out]
        written, found = made.read(out, asking), file.read(out, asking)
        for story in asking:
            again = row_features(found[story], memory, own, len(written[story]))
            if not np.allclose(again, written[story], rtol=1e-4, atol=1e-6):
                leaks.append(f"{band}, {story}: the features are not those of what it recalls")
    return leaks


def _said(path: str | Path, out: Out, places: pd.DataFrame) -> np.ndarray:
    """A band's rows at passages, (n_passages, n_features), without the folds `out`."""
    stories = places["name"].unique().tolist()
    file = features_file(path)
    rows = file.read(out, stories) if isinstance(file, RecalledFile) else file.read(stories)
    at = zip(places["name"], places["row"], strict=True)
    return np.array([rows[story][row] for story, row in at])


def _alike(a: Recalled, b: Recalled) -> bool:
    same_rows = np.array_equal(a.row, b.row) and a.weight.shape == b.weight.shape
    return same_rows and np.allclose(a.weight, b.weight, atol=2e-3)


def _state(contexts: Contexts, row: int) -> np.ndarray:
    return contexts.states[contexts.row.tolist().index(row)]


def _near(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.linalg.norm(a - b) <= SAME * np.linalg.norm(b))
