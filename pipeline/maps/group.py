"""Maps of what subjects in one space have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from pipeline.core.bids import bids_stem
from pipeline.maps.artist import Artist, SurfaceArtist
from pipeline.maps.scale import Scale, correlation_scale, difference_scale, fading
from pipeline.maps.values import write_values
from pipeline.maps.voxelmap import VoxelMap
from pipeline.maps.write import gain_scale
from pipeline.voxels.vertices import Vertices
from pipeline.voxels.volume import Mask

MEAN, PREVALENCE = "mean", "prevalence"
# What is drawn beside the mean: where it passes, by the name of the p that it passes.
PASSED = {"pfwer": "family-wise p", "pcluster": "cluster p"}
TITLES = {
    MEAN: "mean over subjects",
    "t": "t of the mean over subjects",
    **{p: f"{name} (sign flips)" for p, name in PASSED.items()},
    PREVALENCE: "most probable prevalence",
}


@dataclass(frozen=True)
class GroupMap(VoxelMap):
    """A statistic over subjects; `q` is here the level of the p that a thresholded mean passes.

    Parameters
    ----------
    statistic : str
        A key of `TITLES`.
    passed : str
        A key of `PASSED`; empty of whole maps.
    """

    statistic: str = MEAN
    passed: str = ""

    @property
    def stat(self) -> str:
        """Statistic, and what it passes: mean, meanpfwer."""
        return self.statistic + self.passed

    @property
    def stem(self) -> str:
        """Start of the names of its files."""
        return bids_stem(minus=self.minus, stat=self.stat, desc=self.model)

    @property
    def title(self) -> str:
        """What figures say."""
        against = f" minus {self.minus}" if self.minus else ""
        threshold = f", {PASSED[self.passed]} < {self.q:g}" if self.passed else ""
        return f"{self.model}{against}: {TITLES[self.statistic]}{threshold}"


def write_group_maps(
    found: Mapping[tuple[str, str | None], Mapping[str, np.ndarray]],
    bands: Mapping[str, Sequence[str]],
    *,
    places: Mask | Vertices,
    folder: Path,
    n_subjects: int,
    level: float,
    figures_for: Collection[str] | None = None,
    meshes: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Write maps over subjects: values of all, figures of the mean and of the prevalence.

    Parameters
    ----------
    found : mapping of (model, baseline or None) to mapping of statistic to array (n_voxels,)
        `pipeline.statistics.group_maps.group_maps`; the statistics are keys of `TITLES`.
    bands : mapping of model to sequence of str
        The models' bands: the scale of differences is that of models that extend another one.
    places : Mask or Vertices
        Where the voxels are.
    folder : Path
        Where the files go.
    n_subjects : int
        Subjects.
    level : float
        Of the p that thresholded means pass.
    figures_for : collection of str, optional
        Models that get every figure (default: all).
    meshes : mapping of "left", "right" to path, optional
        Surfaces on which vertices are shown.

    Returns
    -------
    list of dict
        One record a file, as of `pipeline.maps.voxelmap`.
    """
    if isinstance(places, Mask):
        artist = Artist(places, folder)
    else:
        artist = SurfaceArtist(places, folder, meshes)
    folder.mkdir(parents=True, exist_ok=True)
    chosen = {model for model, _ in found} if figures_for is None else set(figures_for)
    maps = [m for key, own in found.items() for m in _maps(key, own, n_subjects, level)]
    records: list[dict[str, Any]] = []
    for scale, own in _scaled(maps, bands):
        if own[0].statistic in (MEAN, PREVALENCE):
            records += artist.draw(own, scale, chosen)
            continue
        for m in own:
            written = write_values(m.values, places, folder, m.stem, m.title, scale)
            records += [m.record(path, kind, scale.label) for path, kind in written]
    return records


def _maps(
    comparison: tuple[str, str | None],
    found: Mapping[str, np.ndarray],
    n_subjects: int,
    level: float,
) -> Iterator[GroupMap]:
    """All maps of a comparison; p maps, and what passes them, where there is any p."""
    model, minus = comparison
    n_voxels = int(np.isfinite(found[MEAN]).sum())
    says = f"{n_subjects} subjects, {n_voxels} voxels that all of them have"
    for statistic in TITLES:
        values = found[statistic]
        if np.isfinite(values).any():
            yield GroupMap("", model, values, says, minus, statistic=statistic)
    for p in PASSED:
        if np.isfinite(found[p]).any():
            whole = GroupMap("", model, found[MEAN], says, minus)
            yield replace(whole.threshold(found[p], level), passed=p)


def _scaled(
    maps: list[GroupMap], bands: Mapping[str, Sequence[str]]
) -> Iterator[tuple[Scale, list[GroupMap]]]:
    """Maps that share a scale, and the scale."""
    means = [m for m in maps if m.statistic == MEAN]
    r, rdiff = [m for m in means if m.minus is None], [m for m in means if m.minus]
    if r:
        yield replace(correlation_scale(m.values for m in r), label="mean out-of-fold r"), r
    if rdiff:
        scale = gain_scale([m for m in rdiff if not m.passed], bands)
        yield replace(scale, label="mean difference in out-of-fold r"), rdiff
    share = fading(mpl.colormaps["viridis"], centre=0.0)
    for statistic, title in TITLES.items():
        own = [m for m in maps if m.statistic == statistic]
        if statistic == MEAN or not own:
            continue
        if statistic == "t":
            yield replace(difference_scale([m.values for m in own]), label="t"), own
        else:
            yield Scale(0.0, 1.0, share, title), own
