"""The files of a simulated dataset, in the layout of ds003020, and its ground truth."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from praatio.data_classes.interval_tier import IntervalTier
from praatio.data_classes.textgrid import Textgrid

from pipeline.core.atomic import atomic_h5, atomic_path, write_text
from pipeline.core.series import zscore
from pipeline.dataset.dataset import Dataset
from pipeline.simulation import lexicon
from pipeline.simulation.settings import Settings
from pipeline.simulation.story import Occurrence, Story

EVENT_COLUMNS = [
    *("story", "event", "occurrence", "kind", "onset", "offset"),
    *("row_first", "row_last", "earlier_row_first", "earlier_onset"),
]


def write_textgrid(path: Path, story: Story, short: bool) -> None:
    """Write tiers phone and word in Praat's short or long format; a letter stands for a phone."""
    words = sorted(story.words + story.markers)
    phones = [phone for entry in words for phone in _phones(*entry)]
    grid = Textgrid()
    for name, entries in (("phone", phones), ("word", words)):
        grid.addTier(IntervalTier(name, entries, minT=0, maxT=words[-1][1]))
    with atomic_path(path) as temporary:
        grid.save(
            str(temporary),
            format="short_textgrid" if short else "long_textgrid",
            includeBlankSpaces=True,
        )


def _phones(onset: float, offset: float, word: str) -> list[tuple[float, float, str]]:
    letters = [word] if not word.isalpha() or word == "sp" else list(word.upper())
    times = np.round(np.linspace(onset, offset, len(letters) + 1), 4).tolist()
    return list(zip(times[:-1], times[1:], letters, strict=True))


def write_respdict(path: Path, stories: Sequence[Story]) -> None:
    """Write how many volumes were scanned for each story."""
    write_text(path, json.dumps({s.name: s.grid.n_scanned for s in stories}, indent=1) + "\n")


def write_eng1000(path: Path, vectors: np.ndarray) -> None:
    """Write semantic vectors (n_dims, n_words) as `data` with the words as `vocab`."""
    with atomic_h5(path) as file:
        file["data"] = vectors
        file["vocab"] = np.array([word.encode() for word in lexicon.vocabulary()])


def write_responses(path: Path, presentations: Sequence[np.ndarray]) -> np.ndarray:
    """Write the average of a story's presentations, z-scored, and themselves if there are several.

    Returns
    -------
    array of shape (n_rows, n_voxels), float32
        What was written as `data`.
    """
    repeats = np.stack(presentations).astype(np.float32)
    data = zscore(repeats.mean(axis=0, dtype=float)).astype(np.float32)
    with atomic_h5(path) as file:
        file["data"] = data
        if len(repeats) > 1:
            file["individual_repeats"] = repeats
    return data


def write_mask(path: Path, mask: nib.Nifti1Image) -> None:
    """Write the brain mask."""
    with atomic_path(path) as temporary:
        nib.save(mask, temporary)


def write_events(path: Path, stories: Sequence[Story]) -> None:
    """Write when every event and decoy was told, and when the time before."""
    rows = [_event_row(story.name, o) for story in stories for o in story.occurrences]
    table = pd.DataFrame(rows, columns=EVENT_COLUMNS)
    table["earlier_row_first"] = table["earlier_row_first"].astype("Int64")
    write_table(path, table)


def _event_row(story: str, o: Occurrence) -> tuple:
    earlier = (o.earlier.row_first, o.earlier.onset) if o.earlier else (None, None)
    times = (o.onset, o.offset, o.row_first, o.row_last)
    return (story, o.phrase, o.occurrence, o.kind, *times, *earlier)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as TSV."""
    write_text(path, table.to_csv(sep="\t", index=False, na_rep="n/a", float_format="%.6g"))


def write_regions(path: Path, regions: dict[str, np.ndarray]) -> None:
    """Write the region (one letter) of every voxel of every subject."""
    with atomic_h5(path) as file:
        for subject, letters in regions.items():
            file[subject] = letters.astype("S1")


def settings_path(dataset: Dataset) -> Path:
    """Settings and seed of a complete simulated dataset."""
    return dataset.truth / "settings.json"


def write_settings(path: Path, settings: Settings, seed: int, subjects: Sequence[str]) -> None:
    """Write what the dataset was made with; the last file of all, it says that it is complete."""
    made = {"settings": dataclasses.asdict(settings), "seed": seed, "subjects": list(subjects)}
    write_text(path, json.dumps(made, indent=1) + "\n")
