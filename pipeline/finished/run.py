"""A finished run as Python sees it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd

from pipeline.bands.registry import BandOptions, kind_of
from pipeline.config.group_results import TABLES
from pipeline.config.results import Results
from pipeline.config.stories import heard_stories
from pipeline.core.atomic import read_table
from pipeline.core.errors import Problem, ProblemError
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.story import Story, read_story
from pipeline.finished.folder import PROVENANCE, read_config
from pipeline.finished.new_story import NewStory, read_new_story
from pipeline.finished.predict import Predictor
from pipeline.fit.file import FitFile, Scores
from pipeline.fit.weights_file import KeptBand
from pipeline.regions.labels import read_parcellations
from pipeline.statistics.stats_file import StatsFile
from pipeline.tuning.meaning import feature_weights
from pipeline.tuning.timing import Timing, timing
from pipeline.tuning.vocabulary import Vocabulary, vocabulary
from pipeline.voxels.volume import Mask, to_volume


class Run:
    """What a run found, read from its folder; nothing is written there.

    Where a run has one subject only, none need be named.

    Parameters
    ----------
    folder : path
        `results/NAME` of a finished run. Its dataset is looked for where the configuration has it.
    config : mapping, optional
        The complete configuration, if it is at hand, as in the workflow. That of the results
        (default) may not say where on this disk a dataset lies.

    Raises
    ------
    ProblemError
        If there is no finished run.

    Examples
    --------
    >>> run = Run("results/demo")  # doctest: +SKIP
    >>> run.scores("gim").r.mean()  # doctest: +SKIP
    >>> run.weights("eng1000", voxel=12)["eng1000"].shape  # doctest: +SKIP
    """

    def __init__(self, folder: str | Path, config: Mapping[str, Any] | None = None) -> None:
        self.folder = Path(folder).resolve()
        self.config = read_config(self.folder) if config is None else dict(config)
        self.files = Results(self.config, str(self.folder))
        self.subjects: list[str] = self.files.subjects
        self.models: list[str] = list(self.config["models"])
        self._spaces: dict[tuple[str, str], Vocabulary] = {}

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Configuration as it was written, seeds, versions, commit, checksum of the inputs."""
        return dict(json.loads((self.folder / PROVENANCE).read_text(encoding="utf-8")))

    @cached_property
    def dataset(self) -> Dataset:
        """The run's dataset."""
        return replace(Dataset.from_config(self.config), run=self.folder)

    def table(self, name: str = "summary") -> pd.DataFrame:
        """A table of the run, by its name without `.tsv`: summary, gains, significance, ...

        Raises
        ------
        ProblemError
            If it is over subjects and the run has one: what lies there is of an earlier run.
        """
        path = self.files.of_run(f"{name}.tsv")
        if name in TABLES and len(self.subjects) == 1:
            what, remedy = "a run of one subject has no such table", "delete it, if it is there"
            raise ProblemError(Problem(path, "", what, remedy))
        return read_table(path)

    def stories(self, subject: str | None = None) -> dict[str, list[str]]:
        """Stories of a subject, by "train" and "test"."""
        return heard_stories(self.config, self._subject(subject))

    def story(self, name: str) -> Story:
        """Words and TR grid of a story of the run.

        Raises
        ------
        ProblemError
            If no subject heard it.
        """
        heard = sorted({s for own in self.subjects for p in self.stories(own).values() for s in p})
        if name not in heard:
            what, remedy = f"there is no story {name!r}", f"use one of {', '.join(heard)}"
            raise ProblemError(Problem(self.folder, "stories", what, remedy))
        words = pd.read_parquet(self.files.of_run("words.parquet"))
        return read_story(self.dataset, words, name)

    def responses(self, story: str, subject: str | None = None) -> np.ndarray:
        """A subject's responses to a story of the run, array of shape (n_rows, n_voxels)."""
        own = self._subject(subject)
        self._check_heard(story, own)
        return self.dataset.read_responses(own, story)

    def fit(self, model: str, subject: str | None = None) -> FitFile:
        """The file of a fit."""
        return FitFile(self.files.fit(self._subject(subject), self._model(model)))

    def scores(self, model: str, subject: str | None = None) -> Scores:
        """Correlations of a model over all voxels."""
        return self.fit(model, subject).scores()

    def statistics(self, model: str, subject: str | None = None) -> StatsFile:
        """The file of a model's tests of significance."""
        subject, model = self._subject(subject), self._model(model)
        return StatsFile(self.files.of_subject(subject, f"desc-{model}_stats.h5"))

    def bands(self, model: str, subject: str | None = None) -> dict[str, KeptBand]:
        """Bands of a model whose weights were kept: delays, names of columns, preparation."""
        return {band.name: band for band in self._predictor(model, subject).weights.bands()}

    def weights(
        self,
        model: str,
        voxel: int | Sequence[int] | np.ndarray | None = None,
        subject: str | None = None,
    ) -> dict[str, np.ndarray]:
        """Weights of a model, by band.

        Parameters
        ----------
        model : str
            A model whose weights were kept (`keep.models`).
        voxel : int or sequence of int, optional
            Which voxels, by index; default, all.
        subject : str, optional
            Whose.

        Returns
        -------
        dict of band to array of shape (n_delays, n_columns, n_voxels)
            Without the last axis for a single voxel; float32, responses per prepared column (of
            variance one, unless they are principal components).

        Raises
        ------
        ProblemError
            If the weights were not kept.
        """
        file = self._predictor(model, subject).weights
        if voxel is None:
            return {band.name: file.weights(band.name) for band in file.bands()}
        asked = np.atleast_1d(np.asarray(voxel, int))
        found = {band.name: file.weights(band.name, asked) for band in file.bands()}
        single = np.ndim(voxel) == 0
        return {band: values[:, :, 0] if single else values for band, values in found.items()}

    def predict(
        self,
        model: str,
        transcript: str | Path | None = None,
        *,
        story: str | None = None,
        responses: str | Path | None = None,
        n_rows: int | None = None,
        subject: str | None = None,
    ) -> np.ndarray:
        """Predict the responses to a transcript, or to a story of the run.

        Parameters
        ----------
        model : str
            A model whose weights were kept.
        transcript : path, optional
            What is heard; default, the words that the run has of `story`.
        story : str, optional
            Name of the story; random controls draw by it. Default, the transcript's.
        responses : path, optional
            The subject's responses, for models that read them; a story of the run has its own.
        n_rows : int, optional
            Rows wanted; default, as many as the responses have or the words last.
        subject : str, optional
            Whose responses.

        Returns
        -------
        array of shape (n_rows, n_voxels), float32
            In units of the responses.

        Raises
        ------
        ProblemError
            See `pipeline.finished.predict.Predictor.predict`.
        """
        predictor, subject = self._predictor(model, subject), self._subject(subject)
        if transcript is None:
            return predictor.predict(self._own_story(story, subject))
        new = read_new_story(
            self.dataset,
            self.config,
            subject,
            transcript,
            responses=responses,
            n_rows=n_rows,
            name=story,
        )
        return predictor.predict(new)

    def words(
        self,
        model: str,
        voxel: int | Sequence[int] | np.ndarray,
        *,
        band: str = "eng1000",
        n: int = 20,
        subject: str | None = None,
    ) -> tuple[list[str], list[str]]:
        """Words of the training stories that excite a place most, and least.

        Of a voxel that cross-validation does not predict they mean nothing
        (`pipeline.tuning.meaning.predicted_voxels`).

        Parameters
        ----------
        model : str
            A model whose weights were kept.
        voxel : int or sequence of int
            A voxel, or those of a region, whose mean weights are taken.
        band : str
            A band of the model in which words have features of their own.
        n : int
            Words at either end.
        subject : str, optional
            Whose.
        """
        file, voxels = self._predictor(model, subject).weights, np.atleast_1d(np.asarray(voxel))
        kept = self.bands(model, subject)
        weights = feature_weights(file.weights(band, voxels), kept[band].preparation)
        space = self._vocabulary(band, self._subject(subject))
        return space.ends(space.responses(weights.mean(axis=1, keepdims=True))[:, 0], n)

    def timing(
        self,
        model: str,
        band: str = "eng1000",
        voxel: Sequence[int] | np.ndarray | None = None,
        subject: str | None = None,
    ) -> Timing:
        """When voxels answer to a band: course over delays, peak and width, seconds."""
        file = self._predictor(model, subject).weights
        weights = file.weights(band, slice(None) if voxel is None else np.asarray(voxel))
        delays = self.bands(model, subject)[band].delays
        return timing(weights, delays, self.config["timing"]["tr"])

    def mask(self, subject: str | None = None) -> Mask:
        """Where a subject's voxels are.

        Raises
        ------
        ProblemError
            If the run has no mask.
        """
        if self.config["mask"] is None:
            what, remedy = "the run has no mask", "voxels have no place without one: set `mask`"
            raise ProblemError(Problem(self.folder, "mask", what, remedy))
        return Mask.from_config(self.config["mask"], self._subject(subject))

    def map(self, values: str | np.ndarray, subject: str | None = None) -> nib.Nifti1Image:
        """A map of the brain.

        Parameters
        ----------
        values : str or array of shape (n_voxels,)
            A number a voxel, or a model, for its test correlation.
        subject : str, optional
            Whose.
        """
        numbers = self.scores(values, subject).r if isinstance(values, str) else values
        return to_volume(np.asarray(numbers), self.mask(subject))

    def regions(self, subject: str | None = None) -> dict[str, np.ndarray]:
        """Region of every voxel in each parcellation, arrays of str of shape (n_voxels,)."""
        truth = self.dataset.truth if self.config["simulate"] is not None else None
        own = self._subject(subject)
        named = self.region_names(own)
        return read_parcellations(self.config["regions"], self.config["mask"], truth, own, named)

    def region_names(self, subject: str | None = None) -> list[str] | None:
        """Names of the regions that a subject's columns are; None where they are voxels."""
        return self.fit(self.config["baseline"], subject).region_names()

    def _vocabulary(self, band: str, subject: str) -> Vocabulary:
        """Words of the subject's training stories in the space of a band; looked up once."""
        train = self.stories(subject)["train"]
        if (band, subject) not in self._spaces:
            options = BandOptions.read(self.files.kept_band(band))
            if not kind_of(options.kind).by_word:
                what = f"in the band {band} a word has no features of its own"
                remedy = "name a band such as eng1000"
                raise ProblemError(Problem(self.folder, "band", what, remedy))
            words = pd.read_parquet(self.files.of_run("words.parquet"))
            self._spaces[band, subject] = vocabulary(words, train, options)
        return self._spaces[band, subject]

    def _own_story(self, story: str | None, subject: str) -> NewStory:
        """A story of the run with the subject's responses to it."""
        self._check_heard(story, subject)
        return NewStory(self.story(str(story)), self.responses(str(story), subject))

    def _check_heard(self, story: str | None, subject: str) -> None:
        stories = [s for part in self.stories(subject).values() for s in part]
        if story not in stories:
            what = f"{subject} did not hear {story!r}"
            remedy = f"give a transcript, or one of {', '.join(stories)}"
            raise ProblemError(Problem(self.folder, "story", what, remedy))

    def _predictor(self, model: str, subject: str | None) -> Predictor:
        own = self._subject(subject)
        return Predictor(self.files, own, self._model(model), self.stories(own)["train"])

    def _subject(self, subject: str | None) -> str:
        if subject is None and len(self.subjects) == 1:
            return self.subjects[0]
        if subject not in self.subjects:
            what = "which subject?" if subject is None else f"there is no subject {subject!r}"
            remedy = f"name one of {', '.join(self.subjects)}"
            raise ProblemError(Problem(self.folder, "subject", what, remedy))
        return subject

    def _model(self, model: str) -> str:
        if model not in self.files.models:
            what, remedy = f"there is no model {model!r}", f"use one of {', '.join(self.models)}"
            raise ProblemError(Problem(self.folder, "models", what, remedy))
        return model
