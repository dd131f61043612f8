"""The design matrix: bands scaled, reduced and delayed inside each story."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from pipeline.bands.compute import BandFile
from pipeline.bands.registry import BandOptions, kind_of
from pipeline.core.series import delay, varies, zscore
from pipeline.matching.matches import fir_of_matches
from pipeline.recall.features import RecalledFile
from pipeline.recall.memory import Out


@dataclass(frozen=True, eq=False)
class Preparation:
    """How a band's features become columns of the design, as its training stories say.

    Parameters
    ----------
    mean, scale : arrays of shape (n_features,), or None
        Means and standard deviations of the training stories, infinite where a column is constant;
        None where columns are z-scored within each story.
    components : array of shape (n_features, n_components), or None
        Principal axes that take the place of the columns; None, the columns stay.
    """

    mean: np.ndarray | None = None
    scale: np.ndarray | None = None
    components: np.ndarray | None = None

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Scale and reduce the features of a story, (n_rows, n_features)."""
        scaled = zscore(values) if self.mean is None else (values - self.mean) / self.scale
        return scaled if self.components is None else scaled @ self.components


@dataclass(frozen=True)
class Band:
    """One feature space, ready to be delayed.

    Parameters
    ----------
    name : str
        Its name in the configuration.
    values : dict of str to array of shape (n_rows, n_columns)
        Scaled features of each story, float32.
    delays : sequence of int
        FIR delays, TRs; (0,) where none apply.
    weights : sequence of float
        Factor of each delay's columns.
    copied : bool
        Whether it copies what followed a match (`BandOptions.copies_matches`).
    preparation : Preparation or None
        How `values` were made of the features, where these were read.
    remade : callable, optional
        `remade(out)` is the band as the stories outside the folds `out` alone give it, where a
        story's features depend on others (`pipeline.recall`).
    folds : mapping of str to int, optional
        The folds that `remade` leaves out.
    """

    name: str
    values: dict[str, np.ndarray]
    delays: Sequence[int]
    weights: Sequence[float]
    copied: bool = False
    preparation: Preparation | None = None
    remade: Callable[[Out], Band] | None = None
    folds: Mapping[str, int] | None = None

    @property
    def n_features(self) -> int:
        """Columns before delays."""
        return next(iter(self.values.values())).shape[1]

    @property
    def n_columns(self) -> int:
        """Columns of the delayed band."""
        return self.n_features * len(self.delays)

    def rows(self, story: str) -> np.ndarray:
        """Delayed features of a story, array of shape (n_rows, n_columns)."""
        values = self.values[story]
        return delay(values, self.delays) * np.repeat(
            np.asarray(self.weights, np.float32), values.shape[1]
        )

    def without(self, out: Out) -> Band:
        """The band as it is when the folds `out` (ascending) are not known."""
        return self.remade(out) if self.remade and out else self


@dataclass(frozen=True)
class Design:
    """The bands of a model side by side."""

    bands: tuple[Band, ...]

    @property
    def remade(self) -> list[Band]:
        """The bands that differ with the folds that are left out."""
        return [band for band in self.bands if band.remade]

    def without(self, out: Out) -> Design:
        """The design as it is when the folds `out` (ascending) are not known."""
        return Design(tuple(band.without(out) for band in self.bands)) if self.remade else self

    @property
    def slices(self) -> list[slice]:
        """Columns of each band."""
        ends = np.cumsum([0, *(band.n_columns for band in self.bands)])
        return [slice(int(start), int(stop)) for start, stop in pairwise(ends)]

    @property
    def n_columns(self) -> int:
        """Columns of the whole design."""
        return self.slices[-1].stop

    def rows(self, story: str) -> np.ndarray:
        """Design of a story, array of shape (n_rows, n_columns), float32."""
        return np.concatenate([band.rows(story) for band in self.bands], axis=1)


def load_band(
    name: str,
    path: str | Path,
    *,
    options: BandOptions,
    delays: Sequence[int],
    train: Sequence[str],
    test: Sequence[str],
) -> Band:
    """Read a band's features and make them ready for the design (`make_band`).

    A band made from a memory of training stories is made anew for every set of folds left out:
    memory, scaling and components are then those of the other folds.

    Parameters
    ----------
    name : str
        The band.
    path : str or Path
        Features of the stories (`pipeline.bands.compute.BandFile`).
    options : BandOptions
        Of the band.
    delays : sequence of int
        FIR delays of word features, TRs.
    train, test : sequences of str
        The subject's stories.
    """
    if options.source != "memory":
        return make_band(name, BandFile(path).read([*train, *test]), options, delays, train)
    file = RecalledFile(path)
    folds = file.recall.folds

    @lru_cache(maxsize=1)  # a model's predictions are asked for right after its weights
    def remade(out: Out) -> Band:
        known = [story for story in train if folds[story] not in out]
        return make_band(name, file.read(out, train), options, delays, known)

    band = make_band(name, file.read((), [*train, *test]), options, delays, train)
    return replace(band, remade=remade, folds=folds)


def make_band(
    name: str,
    values: dict[str, np.ndarray],
    options: BandOptions,
    delays: Sequence[int],
    train: Sequence[str],
) -> Band:
    """Scale a band's features, reduce them, and say how they are delayed.

    Word features are z-scored within each story; everything else (BOLD-derived features above
    all) by means and standard deviations of the training stories. With `n_components` the columns
    are replaced by their leading principal components over the training stories. Last, one factor
    makes the mean squares of the delayed columns sum to one over the training stories.

    Parameters
    ----------
    name : str
        The band.
    values : dict of str to array of shape (n_rows, n_features)
        Features of every story.
    options : BandOptions
        Of the band.
    delays : sequence of int
        FIR delays of word features, TRs.
    train : sequence of str
        The training stories.
    """
    kind = kind_of(options.kind)
    mean, scale = (None, None) if kind.zscore == "story" else _training_scale(values, train)
    preparation = Preparation(mean, scale)
    values = {story: preparation.apply(v) for story, v in values.items()}
    if options.n_components:
        axes = _principal_axes(values, train, options.n_components)
        preparation = Preparation(mean, scale, axes)
        values = {story: v @ axes for story, v in values.items()}
    if kind.source == "matches":
        delays, weights = fir_of_matches(options.matching)
    else:
        delays = delays if kind.fir else (0,)
        weights = [1.0] * len(delays)
    unit = _unit(values, train, weights)
    values = {story: v.astype(np.float32) for story, v in values.items()}
    weights = [unit * w for w in weights]
    return Band(name, values, delays, weights, options.copies_matches, preparation)


def _unit(values: dict[str, np.ndarray], train: Sequence[str], weights: Sequence[float]) -> float:
    """Factor that makes the mean squares of a band's delayed columns sum to one.

    An alpha then means the same for every band, whatever its number of columns.
    """
    total = sum(np.square(values[s]).sum() for s in train) / sum(len(values[s]) for s in train)
    total *= sum(np.square(weights))
    return float(1 / np.sqrt(total)) if total > 0 else 1.0


def _training_scale(
    values: Mapping[str, np.ndarray], train: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Column means and standard deviations of the training stories, infinite if constant."""
    pooled = np.concatenate([values[story] for story in train])
    return pooled.mean(axis=0), np.where(varies(pooled), pooled.std(axis=0), np.inf)


def _principal_axes(
    values: Mapping[str, np.ndarray], train: Sequence[str], n_components: int
) -> np.ndarray:
    """Leading principal axes of the training stories, (n_features, n_components).

    The components keep their own variances, so the ridge penalty means what it meant before.
    """
    gram = sum(values[story].T @ values[story] for story in train)
    _, vectors = np.linalg.eigh(gram)
    return vectors[:, ::-1][:, :n_components]
