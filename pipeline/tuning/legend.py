"""Coloured brains beside the words that their colours stand for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pipeline.core.atomic import atomic_path
from pipeline.maps.canvas import DPI, GROUND, INK, LITERAL

N_WORDS = 8  # at an end of an axis
Legend = Sequence[tuple[str, Sequence[tuple[str, np.ndarray]]]]


@mpl.rc_context(LITERAL)
def draw_rgb(
    panels: Sequence[np.ndarray],
    path: Path,
    *,
    aspect: float,
    title: str,
    subtitle: str,
    legend: Legend,
) -> None:
    """Draw one or several pictures, with words in the colours of their places, as PNG.

    Parameters
    ----------
    panels : sequence of arrays of shape (rows, columns, 3 or 4)
        RGB or RGBA, two beside each other if there are several.
    path : Path
        The figure.
    aspect : float
        Height of a pixel over its width.
    title, subtitle : str
        Above the pictures.
    legend : sequence of (str, sequence of (word, colour of shape (3,)))
        Headings, and the words under each.
    """
    figure = Figure(figsize=(12.5, 6.4), facecolor=GROUND, dpi=DPI)
    FigureCanvasAgg(figure)
    figure.text(0.012, 0.975, title, color=INK, size=13, weight="bold", va="top")
    figure.text(0.012, 0.93, subtitle, color="0.8", size=10, va="top")
    across = min(2, len(panels))
    width, height = 0.62 / across, 0.86 / -(-len(panels) // across)
    for i, panel in enumerate(panels):
        row, column = divmod(i, across)
        place = (0.01 + width * column, 0.88 - height * (row + 1), width * 0.97, height * 0.97)
        axes = figure.add_axes(place, facecolor=GROUND)
        axes.axis("off")
        axes.imshow(panel, aspect=aspect, interpolation="antialiased", interpolation_stage="rgba")
    _draw_legend(figure.add_axes((0.65, 0.02, 0.34, 0.9), facecolor=GROUND), legend)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, facecolor=GROUND)


def _draw_legend(axes: Axes, legend: Legend) -> None:
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
