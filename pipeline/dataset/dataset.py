"""Where the files of a dataset are (by default as in ds003020), and how they are read."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.core.errors import Problem, ProblemError
from pipeline.core.hdf5 import open_h5, read_regions
from pipeline.dataset.grid import Blocks, Grid, block_grid, block_of, block_rows, whole_story
from pipeline.dataset.runs import RunTable
from pipeline.readers.formats import files_of, is_hdf5, read_phones, read_transcript
from pipeline.readers.sidecar import sidecar_of, sidecar_path

if TYPE_CHECKING:
    import pandas as pd

TRANSCRIPTS = "derivative/TextGrids/{story}.TextGrid"
RESPONSES = "derivative/preprocessed_data/{subject}/{story}.hf5"
VOLUMES = "derivative/respdict.json"
NAMED = "responses"  # parcellation whose regions are the columns of the responses, by their names
VOXELS = "voxels"  # that of all voxels, and of the best of them
MEAN = "mean"  # the subject of rows of tables that are means over subjects
TRUTH = "truth"  # of simulated subjects: a folder, and the name of their true regions
COUNTED = "counted"  # dataset of prepared responses: rows that count, where some do not
KEYS = ("name", "data_root", "runs", "timing", "transcripts", "responses", "blocks")


@dataclass(frozen=True)
class Dataset:
    """Paths and readers of a dataset.

    Parameters
    ----------
    root : Path
        The dataset's root; in ds003020 the folder that holds `derivative/`.
    timing : dict
        Keyword arguments of `pipeline.dataset.grid.Grid` beside `n_scanned`.
    transcripts, responses_as : mapping
        `transcripts` and `responses` of the configuration; default, as in ds003020.
    blocks : mapping
        `blocks` of the configuration: a block has its story's transcript and responses, and only
        its own rows.
    run : Path, optional
        Folder of the run's results, where responses are kept that had to be prepared.
    runs : RunTable, optional
        Where each run's files are, in place of the paths of `transcripts` and `responses_as`.
    """

    root: Path
    timing: dict[str, Any]
    transcripts: Mapping[str, Any] = field(default_factory=dict)
    responses_as: Mapping[str, Any] = field(default_factory=dict)
    blocks: Blocks = field(default_factory=dict)
    run: Path = Path("results")
    runs: RunTable | None = None

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Dataset:
        """Build from a complete configuration (`pipeline.config.load.complete`), or its `KEYS`."""
        timing = {**config["timing"], "trim": tuple(config["timing"]["trim"])}
        runs, responses = None, config["responses"]
        if config.get("runs"):
            runs = RunTable.read(config["runs"])
            # Runs are of one format, which options and rules are chosen by.
            responses = {**responses, "path": str(runs.recorded[0].responses)}
        return cls(
            Path(config["data_root"]),
            timing,
            config["transcripts"],
            responses,
            config["blocks"],
            run=Path("results") / config["name"],
            runs=runs,
        )

    @property
    def respdict(self) -> Path:
        """JSON: story to number of scanned volumes; the run's own if they had to be counted."""
        given = self.responses_as.get("volumes", VOLUMES)
        return self.root / given if isinstance(given, str) else self.run / "volumes.json"

    @property
    def given_volumes(self) -> dict[str, int]:
        """Story to scanned volumes where the configuration itself says them, else empty."""
        given = self.responses_as.get("volumes", VOLUMES)
        return given if isinstance(given, dict) else {}

    @property
    def eng1000(self) -> Path:
        """HDF5 of the Eng1000 embedding that comes with the dataset."""
        return self.root / "derivative" / "english1000sm.hf5"

    @property
    def truth(self) -> Path:
        """Ground truth of a simulated dataset."""
        return self.root / TRUTH

    def transcript(self, story: str) -> Path:
        """Transcript of a story."""
        if self.runs is not None:
            return self.runs.words(whole_story(story, self.blocks))
        pattern = self.transcripts.get("path", TRANSCRIPTS)
        return self.root / _filled(pattern, story=whole_story(story, self.blocks))

    def source(self, subject: str, story: str) -> Path:
        """File of a subject's responses to a story as they were given."""
        if self.runs is not None:
            run = self.runs.of(subject, whole_story(story, self.blocks))
            return Path(run.responses or self.runs.path)
        return self.file_of(self.responses_as.get("path", RESPONSES), subject, story)

    def files(self, subject: str, story: str) -> list[Path]:
        """All files that are read of a run: its responses and confounds, with their sidecars."""
        responses = files_of(self.source(subject, story))
        if self.runs is None:
            return responses
        beside = [path for path in map(sidecar_path, responses) if path]
        used = self.confounds(subject, story) if self.responses_as.get("confounds") else None
        confounds = [used] if used else []
        beside = [*beside, *(path.with_suffix(".json") for path in confounds)]
        return [*responses, *(f for f in beside if os.path.lexists(f)), *confounds]

    def file_of(self, pattern: str, subject: str, story: str) -> Path:
        """A file of a subject and story, by a path below the root that has {subject}, {story}.

        With a table of runs {session}, {run}, {confounds} and {events} stand for what it says.
        """
        labels = {"subject": subject, "story": whole_story(story, self.blocks)}
        if self.runs is not None:
            run = self.runs.of(*labels.values())
            labels |= {key: getattr(run, key) or "" for key in ("session", "run")}
            for key in ("confounds", "events"):
                labels[key] = os.path.abspath(getattr(run, key) or self.runs.path)
        return self.root / _filled(pattern, **labels)

    def is_ready(self, story: str) -> bool:
        """Whether responses are used as they were given: HDF5 of a story's kept rows."""
        options = self.responses_as
        changes = ("zscore", "high_pass", "detrend", "confounds", "drop_nan_voxels")
        changed = any(options.get(key) for key in changes) or not options.get("trimmed", 1)
        as_given = not changed and block_of(story, self.blocks) is None
        return as_given and is_hdf5(options.get("path", RESPONSES))

    def responses(self, subject: str, story: str) -> Path:
        """HDF5 of a subject's responses to a story, one row for each kept volume."""
        if self.is_ready(story):
            return self.source(subject, story)
        return self.run / f"sub-{subject}" / "responses" / f"{story}.hf5"

    def grid(self, story: str) -> Grid:
        """TR grid of a story."""
        whole = whole_story(story, self.blocks)
        if whole not in self._counts:
            raise ProblemError(
                Problem(self.respdict, whole, "the story is not listed", "add its volume count")
            )
        return self.grid_of(story, self._counts[whole])

    @cached_property
    def _counts(self) -> dict[str, int]:
        """Story to scanned volumes, as the configuration has them, or read once for all stories."""
        if given := self.given_volumes:
            return given
        return json.loads(self.respdict.read_text())

    def grid_of(self, story: str, n_scanned: int) -> Grid:
        """TR grid of a story of which so many volumes were scanned; a block keeps its rows only."""
        block, start = block_of(story, self.blocks), self._sound_start(story)
        grid = Grid(n_scanned, **{**self.timing, "sound_start": start})
        if block is None:
            return grid
        return block_grid(grid, block_rows(grid.n_rows, **self.blocks[block[0]], number=block[1]))

    def _sound_start(self, story: str) -> float:
        """Seconds from the first volume to the sound, by table of runs and sidecar if there is one.

        A volume stands for the middle of its TR. What slice timing moved to another time, which
        the sidecar's StartTime says, is later or earlier than that.
        """
        story = whole_story(story, self.blocks)
        if self.runs is None or story not in self.runs.stories:
            return float(self.timing.get("sound_start", Grid.sound_start))
        start, tr = self.runs.start(story), self.timing["tr"]
        start = self.timing["sound_start"] if start is None else start
        told = sidecar_of(str(self.runs.of_story(story)[0].responses)).start_time
        return start if told is None else start + tr / 2 - told

    def n_scanned(self, n_rows: int) -> int:
        """Scanned volumes of a story whose file of responses has `n_rows` rows."""
        return n_rows + sum(self.cut) + Grid(0, **self.timing).unused_volumes

    def rows_in_file(self, grid: Grid) -> int:
        """Rows that the file of the responses to a story should have."""
        return grid.n_volumes - sum(self.cut)

    @property
    def cut(self) -> tuple[int, int]:
        """Volumes of the grid that the files of responses lack, at the start and at the end."""
        trimmed = self.responses_as.get("trimmed", True)
        return Grid(0, **self.timing).trim if trimmed else (0, 0)

    def subjects(self) -> set[str] | None:
        """Subjects that the dataset has a folder (or file) of; None if its paths do not say."""
        if self.runs is not None:
            return set(self.runs.subjects)
        parts = Path(self.responses_as.get("path", RESPONSES)).parts
        depth = next((i for i, part in enumerate(parts) if "{subject}" in part), None)
        if depth is None or any("{" in part for part in parts[:depth]):
            return None
        name = re.escape(parts[depth]).replace(r"\{story\}", ".+")
        name = name.replace(r"\{subject\}", "([A-Za-z0-9]+)", 1).replace(r"\{subject\}", r"\1")
        folder = self.root.joinpath(*parts[:depth])
        there = folder.iterdir() if folder.is_dir() else ()
        return {found.group(1) for path in there if (found := re.fullmatch(name, path.name))}

    def read_words(self, story: str) -> pd.DataFrame:
        """Words of a story (`pipeline.readers.formats.read_transcript`)."""
        return read_transcript(self.transcript(story), self.transcripts)

    def read_phones(self, story: str) -> pd.DataFrame | None:
        """Phones of a story (`pipeline.readers.formats.read_phones`), None where there are none."""
        return read_phones(self.transcript(story), self.transcripts)

    def n_voxels(self, subject: str, story: str) -> int:
        """Voxels in a subject's responses."""
        with open_h5(self.responses(subject, story)) as file:
            return int(file["data"].shape[1])

    def region_names(self, subject: str, story: str) -> list[str] | None:
        """Name of the region that each column of the responses is; None where these are voxels.

        Responses that were prepared have a subject's regions in one order in all stories.
        """
        with open_h5(self.responses(subject, story)) as file:
            return read_regions(file)

    def read_responses(self, subject: str, story: str, voxels: slice = slice(None)) -> np.ndarray:
        """Responses, array of shape (n_rows, n_voxels), float32."""
        with open_h5(self.responses(subject, story)) as file:
            return np.asarray(file["data"][:, voxels], dtype=np.float32)

    def counted(self, subject: str, stories: Iterable[str]) -> dict[str, np.ndarray]:
        """Rows that count, bool (n_rows,), of those stories in which some do not (censored)."""
        if not self.responses_as.get("confounds"):
            return {}
        found = {}
        for story in stories:
            with open_h5(self.responses(subject, story)) as file:
                if COUNTED in file:
                    found[story] = np.asarray(file[COUNTED], bool)
        return found

    def read_counted(
        self, subject: str, stories: Iterable[str], voxels: slice = slice(None)
    ) -> dict[str, np.ndarray]:
        """Responses to stories, those rows of each that count, (n_rows, n_voxels), float32."""
        counted = self.counted(subject, stories := list(stories))
        read = {story: self.read_responses(subject, story, voxels) for story in stories}
        return {s: r[counted[s]] if s in counted else r for s, r in read.items()}

    def confounds(self, subject: str, story: str) -> Path | None:
        """The table of a run's confounds, where a table of runs names it."""
        if self.runs is None:
            return None
        return self.runs.of(subject, whole_story(story, self.blocks)).confounds

    def read_repeats(
        self, subject: str, story: str, voxels: slice = slice(None)
    ) -> np.ndarray | None:
        """Presentations of a repeated story, (n_repeats, n_rows, n_voxels), float32, or None."""
        with open_h5(self.responses(subject, story)) as file:
            if "individual_repeats" not in file or len(file["individual_repeats"]) < 2:
                return None
            return np.asarray(file["individual_repeats"][:, :, voxels], dtype=np.float32)


def _filled(pattern: str, **labels: str) -> str:
    """A path with {story} and {subject} replaced."""
    for key, label in labels.items():
        pattern = pattern.replace(f"{{{key}}}", label)
    return pattern
