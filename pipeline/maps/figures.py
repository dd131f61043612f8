"""Glass brain, slices and the interactive view, drawn by nilearn.

A figure's brain is drawn once; for each map only the coloured layer and the title change.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nilearn.plotting import plot_anat, plot_glass_brain, view_img

from pipeline.atomic import atomic_path
from pipeline.maps.backdrop import Backdrop
from pipeline.maps.canvas import Canvas
from pipeline.maps.scale import Scale

HIDDEN = 1e-9  # nilearn turns NaN into 0 and hides what is not above this


@contextmanager
def cheap_collection() -> Iterator[None]:
    """Keep what exists out of garbage collection, which nilearn runs on every access to an image.

    It takes 0.1 s each time where torch and the like are loaded: most of the time of a figure.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


class _Layered:
    """Axes of nilearn with an exchangeable coloured layer."""

    def __init__(self, canvas: Canvas, scale: Scale, displays: list[Any]) -> None:
        self.canvas, self.scale, self.displays = canvas, scale, displays

    def save(self, image: nib.Nifti1Image, path: Path, title: str, subtitle: str) -> None:
        """Paint a map (NaN where there is no value) and write the figure as PNG."""
        clipped = nib.Nifti1Image(self.scale.clip(image.get_fdata(dtype=np.float32)), image.affine)
        before = {id(i) for axes in self.canvas.figure.axes for i in axes.images}
        colours = {"cmap": self.scale.cmap, "vmin": self.scale.vmin, "vmax": self.scale.vmax}
        for display in self.displays:
            display.add_overlay(clipped, threshold=HIDDEN, interpolation="nearest", **colours)
        self.canvas.save(path, title, subtitle)
        for axes in self.canvas.figure.axes:
            for layer in [i for i in axes.images if id(i) not in before]:
                layer.remove()


class GlassBrain(_Layered):
    """Maximum projections to the left, the back, the right and the top, in MNI space."""

    def __init__(self, scale: Scale) -> None:
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
        super().__init__(canvas, scale, [display])


class Slices(_Layered):
    """Axial slices on the anatomy, in two rows, seen from above (left is left)."""

    def __init__(self, backdrop: Backdrop, scale: Scale) -> None:
        canvas = Canvas(12.5, 5.2, scale)
        half = (len(backdrop.cuts) + 1) // 2
        rows = backdrop.cuts[:half], backdrop.cuts[half:]
        displays = []
        for cuts, bottom in zip(rows, (0.5, 0.0), strict=True):
            axes = canvas.add_axes(0, bottom, len(cuts) / half, 0.5)
            displays.append(
                plot_anat(
                    backdrop.anatomy,
                    display_mode="z",
                    cut_coords=cuts,
                    figure=canvas.figure,
                    axes=axes,
                    black_bg=True,
                    dim=0,
                    colorbar=False,
                )
            )
        super().__init__(canvas, scale, displays)


def write_view(
    image: nib.Nifti1Image, backdrop: Backdrop, scale: Scale, path: Path, title: str
) -> None:
    """Write an interactive view (HTML): click to move the cross, read the value there."""
    clipped = nib.Nifti1Image(scale.clip(image.get_fdata(dtype=np.float32)), image.affine)
    view = view_img(
        clipped,
        bg_img=backdrop.anatomy,
        threshold=HIDDEN,
        vmin=scale.vmin,
        vmax=scale.vmax,
        cmap=scale.cmap,
        symmetric_cmap=scale.vmin < 0,
        black_bg=True,
        dim=0,
        title=title,
        resampling_interpolation="nearest",
    )
    with atomic_path(path) as temporary:
        view.save_as_html(str(temporary))
