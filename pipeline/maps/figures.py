"""Glass brain and slices, drawn by nilearn.

A figure's brain is drawn once; for each map only the coloured layer and the title change.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from warnings import catch_warnings, filterwarnings

import nibabel as nib
import numpy as np

from pipeline.maps.backdrop import Backdrop
from pipeline.maps.canvas import Canvas
from pipeline.maps.scale import Scale

HIDDEN = 1e-9  # nilearn shows what is above this
ANATOMY_WHITE = 1.6  # grey level that would be white: anatomy stays darker than the colours


@contextmanager
def cheap_collection() -> Iterator[None]:
    """Leave out what exists now from garbage collection.

    nilearn collects garbage on every access to an image; where torch and many artists are loaded,
    that takes 0.1 s each time and most of the time of a figure.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


class _Layered:
    """Axes of nilearn with an exchangeable coloured layer."""

    def __init__(
        self, canvas: Canvas, backdrop: Backdrop, scale: Scale, displays: list[Any]
    ) -> None:
        self.canvas, self.backdrop, self.scale, self.displays = canvas, backdrop, scale, displays

    def save(self, values: np.ndarray, path: Path, title: str, subtitle: str) -> None:
        """Paint a map, array of shape (n_voxels,), and write the figure as PNG."""
        image = clip_image(self.backdrop.image(values), self.scale)
        before = {id(i) for axes in self.canvas.figure.axes for i in axes.images}
        colours = {"cmap": self.scale.cmap, "vmin": self.scale.vmin, "vmax": self.scale.vmax}
        with catch_warnings():
            filterwarnings("ignore", message="empty mask")  # nothing passes the threshold
            for display in self.displays:
                display.add_overlay(image, threshold=HIDDEN, interpolation="bilinear", **colours)
        self.canvas.save(path, title, subtitle)
        for axes in self.canvas.figure.axes:
            for layer in [i for i in axes.images if id(i) not in before]:
                layer.remove()


class GlassBrain(_Layered):
    """Maximum projections to the left, the back, the right and the top, in MNI space."""

    def __init__(self, backdrop: Backdrop, scale: Scale) -> None:
        from nilearn.plotting import plot_glass_brain  # slow to import

        canvas = Canvas(12.5, 3.3, scale)
        axes = canvas.add_axes(0, 0, 1, 1)
        display = plot_glass_brain(
            None,
            display_mode="lyrz",
            figure=canvas.figure,
            axes=axes,
            black_bg=True,
            plot_abs=False,
            alpha=1,
        )
        super().__init__(canvas, backdrop, scale, [display])


class Slices(_Layered):
    """Axial slices on the anatomy, in two rows, seen from above (left is left)."""

    def __init__(self, backdrop: Backdrop, scale: Scale) -> None:
        from nilearn.plotting import plot_anat  # slow to import

        canvas = Canvas(12.5, 5.2, scale)
        half = (len(backdrop.cuts) + 1) // 2
        rows = backdrop.cuts[:half], backdrop.cuts[half:]
        displays = []
        for cuts, bottom in zip(rows, (0.5, 0.0), strict=True):
            axes = canvas.add_axes(0.01, bottom + 0.01, 0.99 * len(cuts) / half, 0.48)
            displays.append(
                plot_anat(
                    backdrop.anatomy,
                    display_mode="z",
                    cut_coords=cuts,
                    figure=canvas.figure,
                    axes=axes,
                    black_bg=True,
                    vmin=0,
                    vmax=ANATOMY_WHITE,
                    interpolation="bilinear",
                    colorbar=False,
                )
            )
        super().__init__(canvas, backdrop, scale, displays)


def clip_image(image: nib.Nifti1Image, scale: Scale) -> nib.Nifti1Image:
    """Image within the limits of the scale."""
    return nib.Nifti1Image(scale.clip(image.get_fdata(dtype=np.float32)), image.affine)
