"""The course of a response over delays, a line a region."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pipeline.core.atomic import atomic_path
from pipeline.maps.canvas import LITERAL

MOST_LINES = 12  # regions of the most voxels


@mpl.rc_context(LITERAL)
def write_courses(table: pd.DataFrame, seconds: Sequence[float], path: Path, title: str) -> None:
    """Draw the courses of the regions with the most voxels, as PNG.

    Parameters
    ----------
    table : DataFrame
        Columns region, n_voxels, peak and `at_X_s` for each of `seconds`.
    seconds : sequence of float
        Delays.
    path : Path
        The figure.
    title : str
        What it shows.
    """
    figure = Figure(figsize=(6.4, 3.6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    columns = [f"at_{at:g}_s" for at in seconds]
    for _, row in table.nlargest(MOST_LINES, "n_voxels").iterrows():
        label = f"{row['region']} ({row['n_voxels']}), {row['peak']:.1f} s"
        axes.plot(seconds, row[columns].to_numpy(float), marker="o", ms=3, lw=1.2, label=label)
    axes.axhline(0, color="0.8", lw=0.8, zorder=0)
    axes.set(xlabel="seconds after the words", ylabel="weight, norm 1")
    axes.set_title(title, loc="left", size=9, weight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7, frameon=False, title="region (voxels), peak", title_fontsize=7)
    with atomic_path(path) as temporary:
        figure.savefig(temporary)
