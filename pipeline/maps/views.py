"""Interactive views: web pages that need nothing but themselves, made by nilearn."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

import nibabel as nib
import numpy as np
from nibabel.affines import apply_affine

from pipeline.core.atomic import write_text
from pipeline.maps.backdrop import Backdrop
from pipeline.maps.figures import HIDDEN, clip_image
from pipeline.maps.scale import Scale
from pipeline.maps.surface import Cortex

GAP = 6.0  # mm between the inflated hemispheres
STYLE = "body {background: black; color: white; font-family: sans-serif} h1 {font-size: 1.2em}"
# The plot fills the window; a heading above it would push the colour bar's numbers out.
OVER = "header {position: absolute; z-index: 1; left: 8px; top: 0; pointer-events: none}"


class InteractiveView:
    """Web page with three cuts through the cross; a click moves it, and shows the value there."""

    def __init__(self, backdrop: Backdrop, scale: Scale) -> None:
        self.backdrop, self.scale = backdrop, scale

    def save(self, values: np.ndarray, path: Path, title: str, subtitle: str) -> None:
        """Write the view of a map, array of shape (n_voxels,), opened at its peak, as HTML."""
        from nilearn.plotting import view_img  # slow to import

        image, scale = self.backdrop.image(values), self.scale
        with catch_warnings():
            # nilearn ignores the symmetry of a scale that is given, and says so.
            simplefilter("ignore", UserWarning)
            view = view_img(
                clip_image(image, scale),
                bg_img=self.backdrop.grid,
                cut_coords=_peak(image, scale),
                threshold=HIDDEN,
                vmin=scale.vmin,
                vmax=scale.vmax,
                cmap=scale.cmap,
                symmetric_cmap=scale.vmin < 0,
                black_bg=True,
                dim=0.5,
                resampling_interpolation="nearest",
            )
        hint = "Click to move the cross; x, y, z in mm."
        _write(view, path, title, subtitle, scale, hint)


class SurfaceView:
    """Web page with both inflated hemispheres, to be turned and zoomed."""

    def __init__(self, cortex: Cortex, scale: Scale) -> None:
        from nilearn.surface import InMemoryMesh  # slow to import

        self.cortex, self.scale = cortex, scale
        left, right = (cortex.inflated[side] for side in ("left", "right"))
        spread = {
            "left": left.coordinates - [left.coordinates[:, 0].max() + GAP / 2, 0, 0],
            "right": right.coordinates - [right.coordinates[:, 0].min() - GAP / 2, 0, 0],
        }
        faces = np.concatenate([left.faces, right.faces + len(left.coordinates)])
        self._mesh = InMemoryMesh(np.concatenate(list(spread.values())), faces)
        self._sulci = np.concatenate([np.asarray(cortex.sulci[side]) for side in spread])

    def save(self, values: np.ndarray, path: Path, title: str, subtitle: str) -> None:
        """Write the view of a map, array of shape (n_voxels,), as HTML."""
        from nilearn.plotting import view_surf  # slow to import

        scale, vertices = self.scale, self.cortex.sample(values)
        with catch_warnings():
            simplefilter("ignore", UserWarning)
            view = view_surf(
                self._mesh,
                scale.clip(np.concatenate([vertices["left"], vertices["right"]])),
                bg_map=self._sulci,
                threshold=HIDDEN,
                vmin=scale.vmin,
                vmax=scale.vmax,
                cmap=scale.cmap,
                symmetric_cmap=scale.vmin < 0,
                black_bg=True,
                colorbar_fontsize=14,
            )
        _write(view, path, title, subtitle, scale, "Drag to turn, scroll to zoom.", OVER)


def _write(
    view: Any, path: Path, title: str, subtitle: str, scale: Scale, hint: str, style: str = ""
) -> None:
    """Write a page of nilearn's under a heading that says what the colours are."""
    heading = (
        f"<header><h1>{escape(title)}</h1><p>{escape(subtitle)}</p>"
        f"<p>Colours: {escape(str(scale))}. {escape(hint)}</p></header>"
    )
    page = view.get_standalone().replace("</head>", f"<style>{STYLE} {style}</style></head>", 1)
    write_text(path, page.replace("<body>", f"<body>{heading}", 1))


def _peak(image: nib.Nifti1Image, scale: Scale) -> np.ndarray:
    """World coordinates of the highest value, or of the highest difference either way."""
    values = np.nan_to_num(image.get_fdata())
    peak = (np.abs(values) if scale.vmin < 0 else values).argmax()
    return apply_affine(image.affine, np.unravel_index(peak, image.shape))
