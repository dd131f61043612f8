"""All maps of a subject: NIfTI files, then figures on common colour scales."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import nibabel as nib
import numpy as np

from pipeline.atomic import atomic_path
from pipeline.errors import InputError, Problem
from pipeline.maps.backdrop import Backdrop
from pipeline.maps.figures import GlassBrain, InteractiveView, Slices, cheap_collection
from pipeline.maps.scale import Scale, correlation_scale, difference_scale
from pipeline.maps.surface import Cortex, SurfaceFigure
from pipeline.volume import Mask, to_volume

log = logging.getLogger(__name__)

EVERY_MODEL = "glass.png"  # the overview; the other figures are for the models asked for


class MapFigure(Protocol):
    """A figure that can be painted with one map after the other."""

    def save(self, values: np.ndarray, path: Path, title: str, subtitle: str) -> None:
        """Write the figure of a map, array of shape (n_voxels,)."""


@dataclass(frozen=True)
class VoxelMap:
    """One statistic of one model.

    Parameters
    ----------
    stem : str
        Start of the names of its files.
    values : array of shape (n_voxels,)
        NaN where a voxel has no variance.
    title, subtitle : str
        What the figures say.
    """

    stem: str
    values: np.ndarray
    title: str
    subtitle: str


def write_maps(
    r: Mapping[str, np.ndarray],
    bands: Mapping[str, Sequence[str]],
    mask: Mask,
    folder: Path,
    subject: str,
    baseline: str = "eng1000",
    figures_for: Collection[str] | None = None,
) -> list[Path]:
    """Write the maps of every model and of its difference to the baseline.

    The NIfTI files and the glass brains are written for every model; the slices, the surfaces and
    the interactive views for the models of `figures_for`. All maps of test correlations share one
    colour scale, all differences another; the NIfTI headers hold it (`cal_min`, `cal_max`).

    Parameters
    ----------
    r : mapping of model to array of shape (n_voxels,)
        Test correlations, in the mask's voxel order; NaN where a voxel has no variance.
    bands : mapping of model to sequence of str
        The model's bands, for the titles.
    mask : Mask
        Where the voxels are. A native mask gets no glass brain and no surface.
    folder : Path
        Where the files go.
    subject : str
        The subject's label.
    baseline : str
        The model that the others are compared with; without it there are no differences.
    figures_for : collection of str, optional
        Models that get every figure (default: all).

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    InputError
        The number of voxels is not the mask's, or `figures_for` names an unknown model.
    """
    for model, values in r.items():
        mask.check_count(len(values), f"{subject}, model {model}")
    _check_known(figures_for or (), r)
    kinds = [(_correlations(r, bands, subject), correlation_scale(r.values()))]
    if baseline in r:
        changes = {m: values - r[baseline] for m, values in r.items() if m != baseline}
        maps = _differences(changes, bands, subject, baseline)
        kinds.append((maps, _gain_scale(changes, bands, baseline)))

    artist = _Artist(mask, folder)
    written: list[Path] = []
    for maps, scale in kinds:
        if maps:
            log.info("%s, one colour scale for all models: %s", subject, scale)
            chosen = set(maps) if figures_for is None else set(maps) & set(figures_for)
            written += artist.draw(maps, scale, chosen)
    return written


def _check_known(models: Collection[str], r: Mapping[str, np.ndarray]) -> None:
    unknown = [model for model in models if model not in r]
    if unknown:
        remedy = f"choose from {', '.join(r)}"
        what = f"no such model: {', '.join(unknown)}"
        raise InputError(Problem("configuration", "maps", what, remedy))


def _gain_scale(
    changes: Mapping[str, np.ndarray], bands: Mapping[str, Sequence[str]], baseline: str
) -> Scale:
    """Scale by the models that extend the baseline: what they add is not dwarfed by others."""
    extended = [m for m in changes if set(bands[baseline]) <= set(bands[m])]
    return difference_scale([changes[m] for m in extended or changes], baseline)


def _correlations(
    r: Mapping[str, np.ndarray], bands: Mapping[str, Sequence[str]], subject: str
) -> dict[str, VoxelMap]:
    """Maps of the test correlation of every model."""
    return {
        model: VoxelMap(
            f"sub-{subject}_model-{model}_stat-r",
            np.asarray(values, dtype=float),
            f"{subject}, {model}: test correlation",
            f"bands: {' + '.join(bands[model])}",
        )
        for model, values in r.items()
    }


def _differences(
    changes: Mapping[str, np.ndarray],
    bands: Mapping[str, Sequence[str]],
    subject: str,
    baseline: str,
) -> dict[str, VoxelMap]:
    """Maps of the difference to the baseline of every other model."""
    return {
        model: VoxelMap(
            f"sub-{subject}_model-{model}_stat-rdiff",
            np.asarray(values, dtype=float),
            f"{subject}, {model} minus {baseline}: difference in test correlation",
            f"{' + '.join(bands[model])}  minus  {' + '.join(bands[baseline])}",
        )
        for model, values in changes.items()
    }


class _Artist:
    """Everything that is computed once for a subject and serves all its maps."""

    def __init__(self, mask: Mask, folder: Path) -> None:
        self.mask, self.folder = mask, folder
        self.backdrop = Backdrop(mask)
        if mask.space != "MNI":
            log.info(
                "%s is in native space: no glass brain or surface without a transform to MNI",
                mask.source,
            )

    @cached_property
    def cortex(self) -> Cortex:
        """The surface, where a figure needs it."""
        return Cortex(self.mask)

    def draw(self, maps: Mapping[str, VoxelMap], scale: Scale, chosen: set[str]) -> list[Path]:
        """Write all files of maps that share a scale."""
        figures = self._figures(scale, everything=bool(chosen))
        written = []
        with cheap_collection():
            for model, m in maps.items():
                path = self.folder / f"{m.stem}_statmap.nii.gz"
                self._save_nifti(m, scale, path)
                written.append(path)
                for ending, figure in figures.items():
                    if model in chosen or ending == EVERY_MODEL:
                        path = self.folder / f"{m.stem}_{ending}"
                        figure.save(m.values, path, m.title, m.subtitle)
                        written.append(path)
        return written

    def _figures(self, scale: Scale, everything: bool) -> dict[str, MapFigure]:
        """Figures that the mask's space allows, by the ending of their file names."""
        mni = self.mask.space == "MNI"
        figures: dict[str, MapFigure] = {}
        if mni:
            figures[EVERY_MODEL] = GlassBrain(self.backdrop, scale)
        if everything:
            figures["slices.png"] = Slices(self.backdrop, scale)
            figures["view.html"] = InteractiveView(self.backdrop, scale)
        if everything and mni:
            figures["surface.png"] = SurfaceFigure(self.cortex, scale)
        return figures

    def _save_nifti(self, m: VoxelMap, scale: Scale, path: Path) -> None:
        """Write the map as it is, with the figures' scale in its header."""
        img = to_volume(m.values, self.mask)
        img.header["cal_min"], img.header["cal_max"] = scale.vmin, scale.vmax
        img.header["descrip"] = scale.label[:79]
        with atomic_path(path) as temporary:
            nib.save(img, temporary)
