"""Figures of the report: SVG in the page's colours, narrow enough for a phone."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from pipeline.maps.canvas import LITERAL

INK, MUTED, RULE = "#1c2430", "#5d6875", "#d5dae1"
# Okabe and Ito: told apart by the colour-blind.
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#8a94a0"
COLOURS = (BLUE, ORANGE, "#009e73", "#cc79a7", "#e69f00", "#56b4e9", INK)
WIDTH = 5.6  # inches: 9 points stay readable when the figure shrinks to a phone's width
STYLE: Any = {  # matplotlib's settings
    **LITERAL,
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
    "font.family": "sans-serif",
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
}
N_BINS = 70
MANY = 16  # rows of a figure; more are drawn closer together


@dataclass(frozen=True)
class Difference:
    """One row of a forest plot.

    Parameters
    ----------
    label : str
        The row's name.
    value, lo, hi : float
        A difference and its interval.
    strong : bool
        Drawn filled: the comparison that carries the claim.
    dots : sequence of float
        The same of single subjects.
    """

    label: str
    value: float
    lo: float
    hi: float
    strong: bool = True
    dots: Sequence[float] = ()


@dataclass(frozen=True)
class Bar:
    """One bar of parts.

    Parameters
    ----------
    label : str
        The bar's name.
    parts : mapping of name to float
        What it is the sum of; negative parts go to the left of zero.
    """

    label: str
    parts: Mapping[str, float]


def forest(rows: Sequence[Difference], label: str) -> str:
    """Differences with their intervals about a line at zero, first row on top.

    Parameters
    ----------
    rows : sequence of Difference
        At least one.
    label : str
        What the horizontal axis is.

    Returns
    -------
    str
        Data URL.
    """
    with mpl.rc_context(STYLE):
        figure = _figure(0.75 + (0.3 if len(rows) <= MANY else 0.19) * len(rows))
        axes = figure.subplots()
        axes.grid(axis="y", visible=False)
        axes.axvline(0, color=INK, lw=1)
        for y, row in enumerate(rows):
            colour = BLUE if row.strong else GREY
            axes.plot(row.dots, [y] * len(row.dots), "o", ms=3.5, color=colour, alpha=0.4, mew=0)
            axes.plot([row.lo, row.hi], [y, y], color=colour, lw=2.2, solid_capstyle="butt")
            face = colour if row.strong else "white"
            axes.plot(row.value, y, "o", ms=6.5, color=colour, mfc=face, mew=1.6)
        _name_rows(axes, [row.label for row in rows], label)
        return data_url(figure)


def distributions(r: Mapping[str, np.ndarray], baseline: str) -> str:
    """Histogram of each model's test r over voxels, the baseline's outlined, on common axes.

    Parameters
    ----------
    r : mapping of model to array of shape (n_voxels,)
        NaN is left out.
    baseline : str
        The model outlined in every panel.

    Returns
    -------
    str
        Data URL.
    """
    finite = {model: values[np.isfinite(values)] for model, values in r.items()}
    pooled = np.concatenate(list(finite.values()))
    edges = np.linspace(pooled.min(), pooled.max() + 1e-9, N_BINS + 1)
    with mpl.rc_context(STYLE):
        figure = _figure(0.7 + (0.58 if len(r) <= MANY else 0.3) * len(r))
        panels = figure.subplots(len(r), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        for axes, (model, values) in zip(panels, finite.items(), strict=True):
            axes.stairs(np.histogram(values, edges)[0], edges, fill=True, color=BLUE, alpha=0.55)
            if model != baseline:
                counts = np.histogram(finite[baseline], edges)[0]
                axes.stairs(counts, edges, color=ORANGE, lw=1)
            axes.axvline(values.mean(), color=INK, lw=1, ls="--")
            axes.set_ylabel(model, rotation=0, ha="right", va="center")
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
            axes.tick_params(axis="x", length=0 if axes is not panels[-1] else 3)
        panels[-1].set_xlabel("test correlation (Pearson r); height: voxels")
        return data_url(figure)


def lines(
    series: Mapping[str, Sequence[tuple[float, float, float, float]]], x_label: str, y_label: str
) -> str:
    """Values with intervals against a number, one line a name.

    Parameters
    ----------
    series : mapping of name to sequence of (x, value, lo, hi)
        In ascending x.
    x_label, y_label : str
        What the axes are.

    Returns
    -------
    str
        Data URL.
    """
    with mpl.rc_context(STYLE):
        figure = _figure(3.6)
        axes = figure.subplots()
        axes.axhline(0, color=INK, lw=1)
        for i, (name, points) in enumerate(series.items()):
            x, value, lo, hi = np.transpose(points)
            colour, style = _line(i)
            axes.fill_between(x, lo, hi, color=colour, alpha=0.15, lw=0)
            axes.plot(x, value, "o", ls=style, ms=4.5, color=colour, label=name)
        axes.set_xticks(sorted({point[0] for points in series.values() for point in points}))
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        figure.legend(loc="outside lower center", ncols=3, frameon=False)
        return data_url(figure)


def densities(grid: np.ndarray, curves: Mapping[str, np.ndarray], label: str) -> str:
    """Probability densities on a common axis, one curve a name.

    Parameters
    ----------
    grid : array of shape (n,)
        Where the densities are known.
    curves : mapping of name to array of shape (n,)
        The densities.
    label : str
        What the horizontal axis is.

    Returns
    -------
    str
        Data URL.
    """
    with mpl.rc_context(STYLE):
        figure = _figure(3.0)
        axes = figure.subplots()
        for i, (name, density) in enumerate(curves.items()):
            colour, style = _line(i)
            axes.fill_between(grid, density, color=colour, alpha=0.08, lw=0)
            axes.plot(grid, density, style, color=colour, label=name)
        axes.set_ylim(bottom=0)
        axes.set_xlim(grid[0], grid[-1])
        axes.set_xlabel(label)
        axes.set_ylabel("posterior density")
        figure.legend(loc="outside lower center", ncols=2, frameon=False)
        return data_url(figure)


def _line(i: int) -> tuple[str, str]:
    """Colour and style of the i-th line of a figure."""
    return COLOURS[i % len(COLOURS)], ("-", "--", ":")[i // len(COLOURS) % 3]


def stacked(bars: Sequence[Bar], label: str) -> str:
    """Bars of parts, the first on top; a part has one colour in all bars.

    Parameters
    ----------
    bars : sequence of Bar
        At least one.
    label : str
        What the horizontal axis is.

    Returns
    -------
    str
        Data URL.
    """
    names = list(dict.fromkeys(name for bar in bars for name in bar.parts))
    with mpl.rc_context(STYLE):
        figure = _figure(1.2 + (0.3 if len(bars) <= MANY else 0.19) * len(bars))
        axes = figure.subplots()
        axes.grid(axis="y", visible=False)
        for i, name in enumerate(names):
            value = np.array([bar.parts.get(name, 0.0) for bar in bars])
            before = [[bar.parts.get(n, 0.0) for n in names[:i]] for bar in bars]
            left = [sum(b for b in row if b * v > 0) for row, v in zip(before, value, strict=True)]
            hatch = ("", "//", "..")[i // len(COLOURS) % 3]
            colour = COLOURS[i % len(COLOURS)]
            axes.barh(range(len(bars)), value, 0.7, left, color=colour, hatch=hatch, label=name)
        axes.axvline(0, color=INK, lw=1)
        _name_rows(axes, [bar.label for bar in bars], label)
        figure.legend(loc="outside lower center", ncols=3, frameon=False)
        return data_url(figure)


def data_url(figure: Figure) -> str:
    """SVG of a figure as a data URL; equal figures give equal bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _name_rows(axes: Axes, names: Sequence[str], label: str) -> None:
    """Name rows, the first on top, and what is along them."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(label)
    axes.locator_params(axis="x", nbins=6)  # labels of four decimals stay apart


def _figure(height: float) -> Figure:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasSVG(figure)
    return figure
