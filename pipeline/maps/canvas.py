"""What the figures have in common: dark ground, title, colour bar; drawn once, saved many times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from pipeline.core.atomic import atomic_path
from pipeline.maps.scale import Scale

GROUND = "black"
INK = "white"
DPI = 110
# matplotlib's settings: names are the user's, and dollar signs in them enclose no mathematics.
LITERAL: Any = {"text.parse_math": False}


class Canvas:
    """A figure with a title above and a colour bar on the right.

    Parameters
    ----------
    width, height : float
        Inches.
    scale : Scale
        What the colour bar shows.
    """

    RIGHT = 1.0  # inches kept for the colour bar
    TOP = 0.62  # inches kept for the title

    @mpl.rc_context(LITERAL)
    def __init__(self, width: float, height: float, scale: Scale) -> None:
        self.figure = Figure(figsize=(width, height), facecolor=GROUND, dpi=DPI)
        FigureCanvasAgg(self.figure)
        self.right = 1 - self.RIGHT / width
        self.top = 1 - self.TOP / height
        self._title = self.figure.text(
            0.012, 1 - 0.10 / height, "", color=INK, size=13, weight="bold", va="top"
        )
        self._subtitle = self.figure.text(
            0.012, 1 - 0.36 / height, "", color="0.8", size=10, va="top"
        )
        self._add_colorbar(scale, width, height)

    def add_axes(self, left: float, bottom: float, width: float, height: float) -> Axes:
        """Axes in the part left by title and colour bar, whose sides are 0..1."""
        rect = (left * self.right, bottom * self.top, width * self.right, height * self.top)
        axes = self.figure.add_axes(rect, facecolor=GROUND)
        axes.axis("off")
        return axes

    @mpl.rc_context(LITERAL)
    def save(self, path: Path, title: str, subtitle: str) -> None:
        """Write the figure as PNG under a title."""
        self._title.set_text(title)
        self._subtitle.set_text(subtitle)
        with atomic_path(path) as temporary:
            self.figure.savefig(temporary, facecolor=GROUND, pil_kwargs={"compress_level": 3})

    def _add_colorbar(self, scale: Scale, width: float, height: float) -> None:
        length = min(0.72, 2.2 / height)
        bottom = (self.top - length) / 2
        axes = self.figure.add_axes((self.right + 0.12 / width, bottom, 0.14 / width, length))
        bar = self.figure.colorbar(ScalarMappable(scale.norm, scale.cmap), cax=axes, extend="both")
        bar.set_label(scale.label, color=INK, size=9)
        bar.ax.tick_params(colors=INK, labelsize=9)
        bar.ax.set_facecolor("0.35")  # what transparent colours lie on in the figures
        bar.outline.set_edgecolor("0.6")
