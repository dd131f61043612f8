"""Stories that are done, kept beside the file they will go into: long work resumes after them."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.atomic import atomic_path
from pipeline.dataset.story import Story


class DoneStories:
    """Arrays of single stories in a folder beside the output.

    Parameters
    ----------
    output : path
        The file that all of them will go into.
    facts : mapping
        What they depend on. A story that was computed with others, or from other words, is
        computed again.
    """

    def __init__(self, output: str | Path, facts: Mapping[str, Any]) -> None:
        self.folder = Path(f"{output}.parts")
        self.facts = dict(facts)

    def get(
        self, story: Story, compute: Callable[[Story], dict[str, np.ndarray]]
    ) -> dict[str, np.ndarray]:
        """The story's arrays by name, read if they are there, else computed and kept."""
        path = self.folder / f"{story.name}-{self._key(story)}.npz"
        if path.is_file():
            with np.load(path) as kept:
                return dict(kept)
        values = compute(story)
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, allow_pickle=False, **values)
        return values

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _key(self, story: Story) -> str:
        facts = [self.facts, story.words.to_csv(), repr(story.grid)]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
