"""Predictions of a story that a run never had, by the run's own features, scaling and weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gim.files import file_digest
from pipeline.bands.compute import band_features, story_matches
from pipeline.bands.identity import differences, digests
from pipeline.bands.registry import BandOptions, kind_of
from pipeline.config.results import Results
from pipeline.core.errors import Problem, ProblemError
from pipeline.core.series import delay
from pipeline.dataset.basis import BasisFile
from pipeline.finished.new_story import NewStory
from pipeline.fit.weights_file import KeptBand, WeightsFile
from pipeline.matchers.lag import control
from pipeline.matching.matches import (
    Matches,
    drop_below,
    kept_from,
    load_matches,
    newest_match,
)

VOXELS = 4096  # weights in memory at a time


@dataclass(frozen=True)
class Predictor:
    """One model of one subject of a finished run.

    Parameters
    ----------
    files : Results
        Where the run's files are, and its configuration.
    subject, model : str
        Whose prediction, by which model.
    train : sequence of str
        The subject's training stories, from whose matches lag controls draw.
    """

    files: Results
    subject: str
    model: str
    train: Sequence[str]

    @property
    def weights(self) -> WeightsFile:
        """The model's weights.

        Raises
        ------
        ProblemError
            If they were not kept.
        """
        path = Path(self.files.weights(self.subject, self.model))
        if not path.is_file():
            what = f"the weights of {self.model} were not kept"
            remedy = f"run again with --config 'keep={{models: [{self.model}]}}': nothing is fitted"
            raise ProblemError(Problem(path, "", what, remedy + " anew but these"))
        return WeightsFile(path)

    def check(self) -> None:
        """Raise ProblemError if the run's files or what they were made with are others by now."""
        problems = []
        for band in self.weights.bands():
            found = digests(self._options(band.name))
            here = self.files.made_from(self.subject, band.name)
            made_from = {name: path for name, path in here.items() if Path(path).is_file()}
            found |= {name: file_digest(Path(path)) for name, path in made_from.items()}
            kept = {k: v for k, v in band.digests.items() if k not in here or k in made_from}
            for name in differences(kept, found):
                place = made_from.get(name) or self._options(band.name).own.get(name) or name
                what = f"the {name} of the band {band.name} is not what its weights were made with"
                remedy = "put back the file that the run had, or run it again"
                problems.append(Problem(str(place), f"SHA-256, {name}", what, remedy))
        if problems:
            raise ProblemError(problems)

    def predict(self, new: NewStory) -> np.ndarray:
        """Predicted responses, array of shape (n_rows, n_voxels), float32.

        Raises
        ------
        ProblemError
            If the weights were not kept, or added up over delays; if the model needs responses and
            there are none; if what its bands are made with is no longer what it was.
        """
        file = self.weights
        if file.summed():
            what = "the weights are sums over delays, with which nothing can be predicted"
            raise ProblemError(Problem(file.path, "summed", what, "set `keep.delays: separate`"))
        self.check()
        bands = file.bands()
        self._check_bands(bands, new)
        columns = {band.name: self._columns(band, new) for band in bands}
        parts = []
        for start in range(0, file.n_voxels(), VOXELS):
            voxels = slice(start, start + VOXELS)
            part = np.tile(file.intercept(voxels), (new.story.grid.n_rows, 1))
            for band in bands:
                weights = file.weights(band.name, voxels)
                part += columns[band.name] @ weights.reshape(-1, weights.shape[-1])
            parts.append(part)
        return np.concatenate(parts, axis=1)

    def features(self, band: KeptBand, new: NewStory) -> np.ndarray:
        """A band's features of the story before scaling, (n_rows, n_features), as files hold it."""
        options = self._options(band.name)
        if options.source == "stimulus":
            values = kind_of(options.kind).compute(new.story, options.own)
        else:
            assert new.responses is not None, "checked before"
            scores = BasisFile(self.files.basis(self.subject)).basis().scores(new.responses)
            matches = self._matches(band.name, new) if options.source == "matches" else None
            values = band_features(options, scores, matches)
        return values.astype(np.float32).astype(np.float64)

    def _columns(self, band: KeptBand, new: NewStory) -> np.ndarray:
        """The delayed columns of a band, (n_rows, n_delays * n_columns), float32."""
        prepared = band.preparation.apply(self.features(band, new)).astype(np.float32)
        return delay(prepared, band.delays)

    def _options(self, name: str) -> BandOptions:
        """Options of a band of the run, with the files that its computation reads."""
        return BandOptions.read(self.files.kept_band(name))

    def _check_bands(self, bands: Sequence[KeptBand], new: NewStory) -> None:
        """Raise ProblemError if a model reads BOLD and has none, or that of another brain.

        Or if it searches a memory, which is not asked for new stories.
        """
        if recalling := [band.name for band in bands if band.options.source == "memory"]:
            what = f"{self.model} searches a memory of passages ({', '.join(recalling)})"
            remedy = "take another model, or make the story a test story of the run"
            raise ProblemError(Problem(new.story.name, "", what, remedy))
        reading = [band.name for band in bands if band.options.source != "stimulus"]
        if reading and new.responses is None:
            what = f"{self.model} reads the subject's own past BOLD ({', '.join(reading)})"
            remedy = "give the responses to the story (--responses), or another model"
            raise ProblemError(Problem(new.story.name, "", what, remedy))
        n_voxels = self.weights.n_voxels()
        if reading and new.responses is not None and new.responses.shape[1] != n_voxels:
            what = f"{new.responses.shape[1]} voxels, but {self.subject} has {n_voxels}"
            remedy = "give responses of the same subject and mask"
            raise ProblemError(Problem(new.story.name, "responses", what, remedy))

    def _matches(self, name: str, new: NewStory) -> Matches:
        """Matches of the story by a matcher of the run, or by the control of one."""
        options, story = self._options(name), new.story
        seed, matching = self.files.config["seeds"]["matching"], options.matching
        if options.redraws:
            redrawn = {s: m for s, m in self._matched(options.redraws).items() if s in self.train}
            rows = {s: int(m.row.max(initial=-1)) + 1 for s, m in redrawn.items()}
            redrawn[story.name] = self._matches(options.redraws, new)
            rows[story.name] = story.grid.n_rows
            newest = {s: newest_match(n, matching) for s, n in rows.items()}
            made = control(
                redrawn, newest, self.train, seed, f"{self.subject}/{name}",
                options.own["draws"], options.own["bins"],
            )  # fmt: skip
            return made[story.name]
        found = story_matches(story, self.subject, name, options, seed)
        if matching.best_fraction is None:
            return found
        return drop_below(found, kept_from(self._matched(name), self.train))

    def _matched(self, band: str) -> Mapping[str, Matches]:
        return load_matches(self.files.matches(self.subject, band))
