"""Meaning as colour: the first three axes of the weights are red, green and blue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import nibabel as nib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pipeline.core.atomic import atomic_path
from pipeline.maps.canvas import DPI, GROUND, INK, LITERAL
from pipeline.voxels.volume import Mask, to_volumes

N_COLOURS = 3
FULL = 95  # percentile of the voxels' distances from 0 that has the full colour
BARE = 0.22  # grey of voxels without a colour
N_SLICES, N_ACROSS = 12, 4
N_WORDS = 8  # at an end of an axis


def rgb(scores: np.ndarray, full: np.ndarray) -> np.ndarray:
    """Colours 0..1 of places on the axes: grey in the middle, the channel's ends at +-`full`.

    Parameters
    ----------
    scores : array of shape (n_axes, n)
        Places; fewer than three axes leave the others grey.
    full : array of shape (n_axes,)
        Distance from 0 of the full colour.

    Returns
    -------
    array of shape (3, n)
    """
    colours = np.full((N_COLOURS, scores.shape[1]), 0.5)
    n = min(N_COLOURS, len(scores))
    scaled = scores[:n] / np.where(full[:n] > 0, full[:n], 1)[:, None]
    colours[:n] = 0.5 + 0.5 * np.clip(scaled, -1, 1)
    return colours


def full_colours(scores: np.ndarray) -> np.ndarray:
    """Distances from 0 that have the full colour, (n_axes,), by the voxels' own."""
    return np.percentile(np.abs(scores), FULL, axis=1)


def write_rgb(colours: np.ndarray, mask: Mask, path: Path) -> None:
    """Write colours, (3, n_voxels), as NIfTI with a volume each for red, green and blue.

    Voxels without a colour are NaN, and 0 outside the mask.
    """
    image = to_volumes(colours, mask, tr=1.0)
    image.header["descrip"] = "red, green, blue: axes 1, 2, 3 of the weights"
    with atomic_path(path) as temporary:
        nib.save(image, temporary)


@mpl.rc_context(LITERAL)
def draw_rgb(
    colours: np.ndarray,
    mask: Mask,
    path: Path,
    *,
    title: str,
    subtitle: str,
    legend: Sequence[tuple[str, Sequence[tuple[str, np.ndarray]]]],
) -> None:
    """Draw axial slices in colours, with words in the colours of their places, as PNG.

    Parameters
    ----------
    colours : array of shape (3, n_voxels)
        NaN where there is none.
    mask : Mask
        Where the voxels are.
    path : Path
        The figure.
    title, subtitle : str
        Above the slices.
    legend : sequence of (str, sequence of (word, colour of shape (3,)))
        Headings, and the words under each.
    """
    figure = Figure(figsize=(12.5, 6.4), facecolor=GROUND, dpi=DPI)
    FigureCanvasAgg(figure)
    figure.text(0.012, 0.975, title, color=INK, size=13, weight="bold", va="top")
    figure.text(0.012, 0.93, subtitle, color="0.8", size=10, va="top")
    canonical = nib.as_closest_canonical(
        to_volumes(np.vstack([np.nan_to_num(colours, nan=BARE), np.ones(mask.n_voxels)]), mask, 1.0)
    )
    volume = np.asarray(canonical.dataobj)
    zooms = canonical.header.get_zooms()
    filled = np.flatnonzero(volume[..., N_COLOURS].any(axis=(0, 1)))
    cuts = filled[np.linspace(0, len(filled) - 1, min(N_SLICES, len(filled)) + 2).astype(int)[1:-1]]
    height = 0.88 / -(-len(cuts) // N_ACROSS)
    for i, cut in enumerate(cuts):
        row, column = divmod(i, N_ACROSS)
        place = (0.01 + 0.155 * column, 0.88 - height * (row + 1), 0.15, height * 0.98)
        axes = figure.add_axes(place, facecolor=GROUND)
        axes.axis("off")
        picture = volume[:, :, cut].transpose(1, 0, 2)  # left is left
        axes.imshow(picture[..., :N_COLOURS], origin="lower", aspect=zooms[1] / zooms[0])
        outside = picture[..., N_COLOURS] == 0
        axes.imshow(
            np.where(outside[..., None], (0, 0, 0, 1.0), (0, 0, 0, 0.0)),
            origin="lower",
            aspect=zooms[1] / zooms[0],
        )
    _draw_legend(figure.add_axes((0.65, 0.02, 0.34, 0.9), facecolor=GROUND), legend)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, facecolor=GROUND)


def _draw_legend(
    axes: Axes, legend: Sequence[tuple[str, Sequence[tuple[str, np.ndarray]]]]
) -> None:
    """Words in their colours, two columns of headings."""
    axes.axis("off")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    rows = -(-len(legend) // 2)
    for i, (heading, words) in enumerate(legend):
        x, top = 0.5 * (i % 2), 1 - (i // 2) / rows
        axes.text(x, top, heading, color="0.8", size=9, weight="bold", va="top")
        step = 0.86 / rows / (N_WORDS + 1)
        for k, (word, colour) in enumerate(words, start=1):
            y = top - 0.02 - k * step
            axes.scatter(x + 0.03, y, s=60, marker="s", color=[tuple(colour)], edgecolors="0.4")
            axes.text(x + 0.07, y, word, color=INK, size=10, va="center")
