"""What the weights of one band say: its tables, maps and figures, and a few words on each place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.bands.registry import BandOptions, kind_of
from pipeline.core.atomic import write_table
from pipeline.core.bids import with_entities
from pipeline.fit.weights_file import KeptBand
from pipeline.maps.flatmap import FlatSurface
from pipeline.maps.scale import duration_scale
from pipeline.maps.sidecars import write_sidecar
from pipeline.maps.values import CHANNELS, write_colours, write_values
from pipeline.tuning.chart import write_courses
from pipeline.tuning.colours import Picture, full_colours, pictures, rgb
from pipeline.tuning.components import CHANCE, Axes, n_above_chance, principal_axes
from pipeline.tuning.legend import N_WORDS, draw_rgb
from pipeline.tuning.meaning import feature_weights
from pipeline.tuning.refits import Refits
from pipeline.tuning.subject import Subject, means
from pipeline.tuning.timing import Timing, timing
from pipeline.tuning.vocabulary import Vocabulary, vocabulary
from pipeline.tuning.words import MOST_WORDS, End, ends, fold_axes, word_table

MOST_COLUMNS = 64  # of a band with names, for a profile of them


@dataclass
class Said:
    """What a band's weights say.

    Parameters
    ----------
    listing : dict
        For the list of the model's files.
    course : Timing or None
        Of the chosen voxels.
    words : Vocabulary or None
        Words as points of the band's space.
    responses : array of shape (n_words, n_places)
        What words evoke in places.
    by_fold : array of shape (n_folds, n_words, n_places)
        The same without each fold's stories; NaN where the place was not solved again.
    colours : array of shape (3, n_voxels), or None
        Of all voxels of the mask, NaN where there is none.
    """

    listing: dict[str, Any]
    course: Timing | None = None
    words: Vocabulary | None = None
    responses: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    by_fold: np.ndarray = field(default_factory=lambda: np.empty((0, 0, 0)))
    colours: np.ndarray | None = None

    def ends(self, place: int, n: int = MOST_WORDS) -> dict[str, End]:
        """Words at both ends of what a place answers to.

        There are none in bands without words, nor where the fit leaves the band out.
        """
        if self.words is None or not self.responses[:, place].any():
            return {}
        return ends(self.words, self.responses[:, place], self.by_fold[:, :, place], n)


@dataclass(frozen=True)
class BandReader:
    """Reads the weights of one band of a model.

    Parameters
    ----------
    subject : Subject
        Whose.
    model : str
        The model.
    band : KeptBand
        The band.
    weights : array of shape (n_delays, n_columns, n_chosen)
        Of the chosen voxels.
    chosen : array of int, shape (n_chosen,)
        Voxels that are predicted.
    regions : mapping of str to array of int
        Places that the tables are of, as voxels among the chosen ones.
    voxels : array of int
        Single voxels, among the chosen ones, of which words are wanted, too.
    refits : Refits
        The same weights solved again.
    stem : Path
        How the names of the model's files begin, `sub-X_desc-M`.
    picture : Mosaic, Hemispheres or None
        On which each voxel has a place.
    flat : FlatSurface or None
        The subject's own cortex, flattened.
    """

    subject: Subject
    model: str
    band: KeptBand
    weights: np.ndarray
    chosen: np.ndarray
    regions: Mapping[str, np.ndarray]
    voxels: np.ndarray
    refits: Refits
    stem: Path
    picture: Picture | None = None
    flat: FlatSurface | None = None

    def write(self, options: BandOptions, summed: bool) -> Said:
        """Write all that the band has."""
        said = Said({"files": []})
        if not summed and len(self.band.delays) > 1:
            self._timing(said)
        weights = feature_weights(self.weights, self.band.preparation)
        if kind_of(options.kind).by_word:
            self._meaning(weights, options, said)
        elif self.band.columns and len(self.band.columns) <= MOST_COLUMNS:
            self._profile(weights, said.listing["files"])
        return said

    def _meaning(self, weights: np.ndarray, options: BandOptions, said: Said) -> None:
        words = vocabulary(self.subject.words, self.subject.train, options)
        places = [*self.regions.values(), *self.voxels[:, None]]
        by_fold = self.refits.without_folds(self.band)
        own = means(places, len(self.chosen))
        again = means(self._among_refits(places), len(self.refits.fold_voxels))
        said.words = words
        said.responses = words.responses(weights @ own)
        # What leaving a fold out changes is measured on the voxels that were solved again.
        same = weights[:, np.isin(self.chosen, self.refits.fold_voxels)]
        changes = [words.responses((fold - same) @ again) for fold in by_fold]
        said.by_fold = said.responses + np.stack(changes)
        axes = principal_axes(weights)
        found, cosine = fold_axes(axes, by_fold)
        files, n = said.listing["files"], len(self.regions)
        numbers = [f"axis {i}" for i in range(1, 1 + len(axes.axes))]
        of_axes = words.responses(axes.axes.T)
        turned = np.stack([words.responses(fold.T) for fold in found])
        table = [
            word_table(words, numbers, "axis", of_axes, turned),
            word_table(
                words, list(self.regions), "region", said.responses[:, :n], said.by_fold[:, :, :n]
            ),
        ]
        write_table(pd.concat(table, ignore_index=True), self._path("words.tsv", files))
        above = self._axes_above_chance(weights, cosine, files)
        said.listing |= {"axes_above_chance": above, "words": len(words.words)}
        said.listing |= {"n_folds": self.refits.n_folds}
        if self.subject.space is not None:
            said.colours = self._colours(words, axes, weights, above, files)

    def _among_refits(self, places: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Voxels of places that were solved again, by their place among those."""
        known = self.refits.fold_voxels
        return [np.flatnonzero(np.isin(known, self.chosen[place])) for place in places]

    def _axes_above_chance(self, weights: np.ndarray, cosine: np.ndarray, files: list[str]) -> int:
        """Write the axes of the weights beside those of shifted responses."""
        some = np.isin(self.chosen, self.refits.shifted_voxels)
        sample = principal_axes(weights[:, some], len(cosine))
        n_axes = len(sample.axes)
        null = np.stack(
            [principal_axes(w, n_axes).variance for w in self.refits.shifted(self.band)]
        )
        above = n_above_chance(sample.variance, null)
        numbers = np.arange(1, n_axes + 1)
        columns = {"axis": numbers, "share": sample.share, "variance": sample.variance}
        columns |= {"variance_shifted": np.percentile(null, CHANCE, axis=0)}
        columns |= {"above_chance": numbers <= above, "stability": cosine[:n_axes]}
        write_table(pd.DataFrame(columns), self._path("axes.tsv", files))
        return above

    def _colours(
        self, words: Vocabulary, axes: Axes, weights: np.ndarray, above: int, files: list[str]
    ) -> np.ndarray:
        """RGB map of the first three axes, and its figures."""
        space = self.subject.space
        assert space is not None
        scores = axes.scores(weights)
        colours = np.full((3, self.subject.n_voxels), np.nan)
        colours[:, self.chosen] = rgb(scores, full_colours(scores))
        colours[:, self.chosen[~weights.any(axis=0)]] = np.nan  # the fit leaves the band out
        what = f"meaning in {self.band.name} as colour"
        for path in write_colours(colours, space, self.stem.parent, self._stem(), what):
            self._say(path, "rgb", what, "arbitrary", files)
        responses = words.responses(axes.axes.T).T
        shown, legend = rgb(responses, full_colours(responses)), []
        where = {word: i for i, word in enumerate(words.words)}
        for i, response in enumerate(responses[:3]):
            for sign, some in zip("+-", words.ends(response, N_WORDS), strict=True):
                own = [(word, shown[:, where[word]]) for word in some]
                legend.append((f"axis {i + 1} ({CHANNELS[i]}), {sign}", own))
        n = f"{above} of {len(axes.axes)} axes above chance, {len(self.chosen)} predicted voxels"
        for kind, panels, aspect in pictures(colours, space, self.picture, self.flat):
            draw_rgb(
                panels,
                self._path(f"rgb_{kind}.png", files),
                aspect=aspect,
                title=f"{self.subject.name}, {self.model}: meaning in {self.band.name}",
                subtitle=f"first three axes of the weights ({n})",
                legend=legend,
            )
        return colours

    def _profile(self, weights: np.ndarray, files: list[str]) -> None:
        """Mean weight of every named column by region."""
        assert self.band.columns is not None
        rows = [
            {"region": name, "n_voxels": len(own), "column": column, "weight": float(weight)}
            for name, own in self.regions.items()
            for column, weight in zip(self.band.columns, weights[:, own].mean(axis=1), strict=True)
        ]
        write_table(pd.DataFrame(rows), self._path("profile.tsv", files))

    def _timing(self, said: Said) -> None:
        """Peak and width by region, with their courses, and as maps."""
        found = said.course = timing(self.weights, self.band.delays, self.subject.tr)
        files = said.listing["files"]
        rows = [_timing_row(name, found, own) for name, own in self.regions.items()]
        table = pd.DataFrame(rows)
        seconds = [delay * self.subject.tr for delay in self.band.delays]
        for i, at in enumerate(seconds):
            table[f"at_{at:g}_s"] = [_mean(found.course[i, own]) for own in self.regions.values()]
        write_table(table, self._path("timing.tsv", files))
        title = f"{self.subject.name}, {self.model}: course of the response to {self.band.name}"
        write_courses(table, seconds, self._path("timing.png", files), title)
        if self.subject.space is not None:
            for stat in ("peak", "width"):
                self._timing_map(stat, getattr(found, stat), files)
        said.listing |= {"peak": table["peak"].iloc[0], "width": table["width"].iloc[0]}

    def _timing_map(self, stat: str, own: np.ndarray, files: list[str]) -> None:
        """Write seconds of the chosen voxels as a map."""
        assert self.subject.space is not None
        values = np.full(self.subject.n_voxels, np.nan)
        values[self.chosen] = own
        what = f"{stat} of the response to {self.band.name}"
        scale = duration_scale(own, f"{stat}, s")
        stem, folder = self._stem(stat), self.stem.parent
        for path, _ in write_values(values, self.subject.space, folder, stem, what, scale):
            self._say(path, stat, what, "s", files)

    def _say(self, path: Path, stat: str, title: str, unit: str, files: list[str]) -> None:
        """Write a map's sidecar, and list the map."""
        files.append(path.name)
        said = {"stat": stat, "title": f"{self.subject.name}, {self.model}: {title}", "unit": unit}
        named = {"model": self.model, "band": self.band.name}
        write_sidecar(path, said | named, [f"{path.parent.name}/{self.stem.name}_weights.h5"])

    def _stem(self, stat: str | None = None) -> str:
        """How the names of the band's files begin."""
        return with_entities(self.stem.name, band=self.band.name, stat=stat)

    def _path(self, ending: str, files: list[str]) -> Path:
        """A file of the band, which is listed."""
        path = self.stem.with_name(f"{self._stem()}_{ending}")
        files.append(path.name)
        return path


def _timing_row(name: str, found: Timing, voxels: np.ndarray) -> dict[str, Any]:
    """Medians over the voxels of a region."""
    known = voxels[np.isfinite(found.peak[voxels])]  # of the others the fit leaves the band out
    medians = {
        key: float(np.median(getattr(found, key)[known])) if len(known) else np.nan
        for key in ("peak", "width", "separable")
    }
    return {"region": name, "n_voxels": len(voxels), **medians}


def _mean(values: np.ndarray) -> float:
    """Mean of what is known; NaN if nothing is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan
