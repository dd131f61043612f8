"""The tables, maps and figures of a model's weights."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd

from pipeline.bands.registry import BandOptions, kind_of
from pipeline.core.atomic import atomic_path, write_table, write_text
from pipeline.dataset.dataset import Dataset
from pipeline.fit.design import Design
from pipeline.fit.file import FitFile
from pipeline.fit.weights_file import KeptBand, WeightsFile
from pipeline.regions.annotation import NO_REGION
from pipeline.tuning.chart import write_courses
from pipeline.tuning.colours import N_WORDS, draw_rgb, full_colours, rgb, write_rgb
from pipeline.tuning.components import (
    CHANCE,
    MOST_VOXELS,
    Axes,
    n_above_chance,
    principal_axes,
    shifted_weights,
)
from pipeline.tuning.meaning import feature_weights, predicted_voxels
from pipeline.tuning.timing import Timing, timing
from pipeline.tuning.vocabulary import Vocabulary, vocabulary
from pipeline.voxels.volume import Mask, to_volume

FEWEST = 10  # predicted voxels, below which nothing is said of them together
MOST_WORDS = 20
MOST_COLUMNS = 64  # of a band with names, for a profile of them
ALL = "all predicted voxels"
CHANNELS = ("red", "green", "blue")


@dataclass(frozen=True)
class Subject:
    """Whose weights are read, and what is known of the voxels.

    Parameters
    ----------
    dataset : Dataset
        Where the responses are.
    name : str
        The subject.
    train : sequence of str
        The subject's training stories.
    words : DataFrame
        Words of all stories.
    regions : mapping of parcellation to array of str, shape (n_voxels,)
        Region of every voxel, empty where there is none.
    mask : Mask or None
        Where the voxels are.
    """

    dataset: Dataset
    name: str
    train: Sequence[str]
    words: pd.DataFrame
    regions: Mapping[str, np.ndarray]
    mask: Mask | None


def write_tuning(
    subject: Subject,
    model: str,
    *,
    weights: WeightsFile,
    fit: FitFile,
    design: Design,
    options: Mapping[str, BandOptions],
    level: float,
    seed: int,
    output: Path,
) -> None:
    """Read the weights of a model: words, axes, colours and timing, a set of files a band.

    Everything is said of voxels that cross-validation says are predicted, no test story being
    looked at. Files are named as the output is, which lists them and is written last.

    Parameters
    ----------
    subject : Subject
        Whose.
    model : str
        The model.
    weights, fit : WeightsFile, FitFile
        Of the model.
    design : Design
        The model's bands, for the fits of shifted responses.
    options : mapping of band to BandOptions
        With the files of resources.
    level : float
        False discovery rate of the predicted voxels.
    seed : int
        Seed of the shifts.
    output : Path
        JSON to write.
    """
    chosen = np.flatnonzero(predicted_voxels(fit.scores().r_train, level))
    stem = output.name.removesuffix("_tuning.json")
    found: dict[str, Any] = {"model": model, "n_predicted": len(chosen), "level": level}
    bands: dict[str, Any] = {}
    places = dict(_places(subject.regions, chosen))
    if len(chosen) >= FEWEST:
        shifted = _Shifted(subject, design, fit, chosen, seed)
        for band in weights.bands():
            own, at = weights.weights(band.name, chosen), options[band.name]
            writer = _Band(subject, model, band, own, chosen, places, output.parent / stem)
            bands[band.name] = writer.write(at, shifted, weights.summed())
    else:
        logging.warning(
            "%s, %s: %d voxels are predicted: too few", subject.name, model, len(chosen)
        )
    write_text(output, json.dumps(found | {"bands": bands}, indent=1))


def _places(regions: Mapping[str, np.ndarray], chosen: np.ndarray) -> Iterator[tuple[str, Any]]:
    """Regions, by parcellation and name, and which of the chosen voxels are in each."""
    yield ALL, np.arange(len(chosen))
    for parcellation, labels in regions.items():
        own = labels[chosen]
        for name in np.unique(own[own != NO_REGION]):
            yield f"{parcellation}: {name}", np.flatnonzero(own == name)


class _Shifted:
    """Weights for shifted responses, fitted when first asked for."""

    def __init__(
        self, subject: Subject, design: Design, fit: FitFile, chosen: np.ndarray, seed: int
    ) -> None:
        self.subject, self.design, self.seed = subject, design, seed
        self.some = np.unique(np.linspace(0, len(chosen) - 1, MOST_VOXELS).astype(int))
        self.voxels = chosen[self.some]
        self._alpha = fit.alpha()[:, self.voxels]
        self._found: list[np.ndarray] | None = None

    def variances(self, kept: KeptBand, n_axes: int) -> np.ndarray:
        """Variances along the axes of a band's weights, (n_shifted, n_axes)."""
        if self._found is None:
            self._found = shifted_weights(
                self.subject.dataset,
                self.subject.name,
                design=self.design,
                train=self.subject.train,
                alpha=self._alpha,
                voxels=self.voxels,
                seed=self.seed,
            )
        i = [b.name for b in self.design.bands].index(kept.name)
        own, columns = self.design.bands[i], self.design.slices[i]
        factors = np.asarray(own.weights, np.float32)[:, None, None]
        found = []
        for weights in self._found:
            by_delay = weights[columns].reshape(len(own.delays), -1, weights.shape[1]) * factors
            axes = principal_axes(feature_weights(by_delay, kept.preparation), n_axes)
            found.append(axes.variance)
        return np.stack(found)


@dataclass(frozen=True)
class _Band:
    """What is written of one band: `weights` are those of the `chosen` voxels."""

    subject: Subject
    model: str
    band: KeptBand
    weights: np.ndarray
    chosen: np.ndarray
    places: Mapping[str, np.ndarray]
    stem: Path

    def write(self, options: BandOptions, shifted: _Shifted, summed: bool) -> dict[str, Any]:
        """Write all that the band has; returns what the listing says of it."""
        said: dict[str, Any] = {"files": []}
        if not summed and len(self.band.delays) > 1:
            said |= self._timing(said["files"])
        weights = feature_weights(self.weights, self.band.preparation)
        if kind_of(options.kind).by_word:
            said |= self._meaning(weights, options, shifted, said["files"])
        elif self.band.columns and len(self.band.columns) <= MOST_COLUMNS:
            self._profile(weights, said["files"])
        return said

    def _meaning(
        self, weights: np.ndarray, options: BandOptions, shifted: _Shifted, files: list[str]
    ) -> dict[str, Any]:
        words = vocabulary(self.subject.words, self.subject.train, options)
        axes = principal_axes(weights)
        sample = principal_axes(weights[:, shifted.some], len(axes.axes))
        null = shifted.variances(self.band, len(sample.axes))
        above = n_above_chance(sample.variance, null)
        tables = [self._axis_words(words, axes), self._region_words(words, weights)]
        write_table(pd.concat(tables, ignore_index=True), self._path("words.tsv", files))
        numbers = np.arange(1, len(sample.axes) + 1)
        columns = {"axis": numbers, "share": sample.share, "variance": sample.variance}
        columns |= {"variance_shifted": np.percentile(null, CHANCE, axis=0)}
        table = pd.DataFrame(columns | {"above_chance": numbers <= above})
        write_table(table, self._path("axes.tsv", files))
        if self.subject.mask is not None:
            self._colours(words, axes, weights, above, files)
        return {"axes_above_chance": above, "words": len(words.words)}

    def _axis_words(self, words: Vocabulary, axes: Axes) -> pd.DataFrame:
        """Words at both ends of every axis."""
        responses = words.responses(axes.axes.T)
        places = {f"axis {i}": r for i, r in enumerate(responses.T, start=1)}
        return _word_table(words, places, "axis")

    def _region_words(self, words: Vocabulary, weights: np.ndarray) -> pd.DataFrame:
        """Words that excite the predicted voxels of every region most and least."""
        mean = {name: weights[:, own].mean(axis=1) for name, own in self.places.items()}
        responses = {name: words.responses(w[:, None])[:, 0] for name, w in mean.items()}
        return _word_table(words, responses, "region")

    def _colours(
        self, words: Vocabulary, axes: Axes, weights: np.ndarray, above: int, files: list[str]
    ) -> None:
        """RGB map of the first three axes, and its figure."""
        assert self.subject.mask is not None
        scores = axes.scores(weights)
        colours = np.full((3, self.subject.mask.n_voxels), np.nan)
        colours[:, self.chosen] = rgb(scores, full_colours(scores))
        write_rgb(colours, self.subject.mask, self._path("rgb.nii.gz", files))
        responses = words.responses(axes.axes.T).T
        shown, legend = rgb(responses, full_colours(responses)), []
        where = {word: i for i, word in enumerate(words.words)}
        for i, response in enumerate(responses[:3]):
            for sign, ends in zip("+-", words.ends(response, N_WORDS), strict=True):
                own = [(word, shown[:, where[word]]) for word in ends]
                legend.append((f"axis {i + 1} ({CHANNELS[i]}), {sign}", own))
        n = f"{above} of {len(axes.axes)} axes above chance, {len(self.chosen)} predicted voxels"
        draw_rgb(
            colours,
            self.subject.mask,
            self._path("rgb.png", files),
            title=f"{self.subject.name}, {self.model}: meaning in {self.band.name}",
            subtitle=f"first three axes of the weights ({n})",
            legend=legend,
        )

    def _profile(self, weights: np.ndarray, files: list[str]) -> None:
        """Mean weight of every named column by region."""
        assert self.band.columns is not None
        rows = [
            {"region": name, "n_voxels": len(own), "column": column, "weight": float(weight)}
            for name, own in self.places.items()
            for column, weight in zip(self.band.columns, weights[:, own].mean(axis=1), strict=True)
        ]
        write_table(pd.DataFrame(rows), self._path("profile.tsv", files))

    def _timing(self, files: list[str]) -> dict[str, Any]:
        """Peak and width by region, with their courses, and as maps."""
        tr = self.subject.dataset.timing.get("tr", 2.0)
        found = timing(self.weights, self.band.delays, tr)
        rows = [_timing_row(name, found, own) for name, own in self.places.items()]
        table = pd.DataFrame(rows)
        seconds = [delay * tr for delay in self.band.delays]
        for i, at in enumerate(seconds):
            table[f"at_{at:g}_s"] = [
                float(np.nanmean(found.course[i, own])) for own in self.places.values()
            ]
        write_table(table, self._path("timing.tsv", files))
        title = f"{self.subject.name}, {self.model}: course of the response to {self.band.name}"
        write_courses(table, seconds, self._path("timing.png", files), title)
        if self.subject.mask is not None:
            for stat in ("peak", "width"):
                values = np.full(self.subject.mask.n_voxels, np.nan)
                values[self.chosen] = getattr(found, stat)
                image = to_volume(values, self.subject.mask)
                image.header["descrip"] = f"{stat} of the response to {self.band.name}, s"[:79]
                with atomic_path(self._path(f"stat-{stat}_statmap.nii.gz", files)) as temporary:
                    nib.save(image, temporary)
        return {"peak": table["peak"].iloc[0], "width": table["width"].iloc[0]}

    def _path(self, ending: str, files: list[str]) -> Path:
        """A file of the band, which is listed."""
        path = self.stem.with_name(f"{self.stem.name}_band-{self.band.name}_{ending}")
        files.append(path.name)
        return path


def _timing_row(name: str, found: Timing, voxels: np.ndarray) -> dict[str, Any]:
    """Medians over the voxels of a region."""
    medians = {
        key: float(np.nanmedian(getattr(found, key)[voxels]))
        for key in ("peak", "width", "separable")
    }
    return {"region": name, "n_voxels": len(voxels), **medians}


def _word_table(words: Vocabulary, responses: Mapping[str, np.ndarray], kind: str) -> pd.DataFrame:
    """The words at both ends of responses, (n_words,) each, in the order of their strength."""
    where = {word: i for i, word in enumerate(words.words)}
    rows = [
        {"place": place, "kind": kind, "end": end, "rank": rank, "word": word}
        | {"response": float(response[where[word]])}
        for place, response in responses.items()
        for end, some in zip(("most", "least"), words.ends(response, MOST_WORDS), strict=True)
        for rank, word in enumerate(some, start=1)
    ]
    return pd.DataFrame(rows)
