"""The gain of every model by region, as dots with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pipeline.atomic import atomic_path
from pipeline.summary import MEAN

MOST_REGIONS = 40  # of a fine parcellation, those with the greatest gains either way
PANELS_A_ROW = 5
NARROWEST = 5.5  # inches, for the title
COLOUR, FAINT = "#0072B2", "0.65"  # clear of 0, and not


def write_chart(
    table: pd.DataFrame, path: str | Path, models: Sequence[str], baseline: str
) -> None:
    """Write the gains of one parcellation as PNG: a panel a model, a line a region.

    Parameters
    ----------
    table : DataFrame
        Rows of one parcellation of `pipeline.regions.summarise_regions`.
    path : path
        The figure.
    models : sequence of str
        Models to show; the baseline is left out where there are others.
    baseline : str
        The model compared with.
    """
    models = [model for model in models if model != baseline] or [baseline]
    shown = table[table["model"].isin(models)]
    regions = _choose(shown)
    n_rows = -(-len(models) // PANELS_A_ROW)
    n_columns = min(len(models), PANELS_A_ROW)
    size = (max(1.4 + 2.1 * n_columns, NARROWEST), 1.4 + n_rows * (0.55 + 0.2 * len(regions)))
    figure = Figure(figsize=size, dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, model in zip(panels, models, strict=False):
        _panel(axes, shown[shown["model"] == model], regions)
        axes.set_title(model, loc="left", size=10, weight="bold", pad=3)
    for axes in panels[len(models) :]:
        axes.set_visible(False)
    for axes in panels[len(models) - n_columns : len(models)]:
        axes.tick_params(axis="x", labelbottom=True)  # those with no panel below
    left_out = table["region"].nunique() - len(regions)
    notes = ["mean, 95 % interval over stories (blue: clear of 0)"]
    notes += ["small dots: subjects"] if shown["subject"].nunique() > 2 else []
    lines = [f"{table['parcellation'].iloc[0]}: gain over {baseline} by region", "; ".join(notes)]
    lines += [f"{left_out} regions with smaller gains are in the table"] if left_out else []
    figure.suptitle("\n".join(lines), size=9, x=0.01, ha="left")
    figure.supxlabel(f"difference to {baseline} in out-of-fold Pearson r", size=9)
    with atomic_path(path) as temporary:
        figure.savefig(temporary)


def _choose(table: pd.DataFrame) -> list[str]:
    """Regions to show, the greatest mean gain over models first."""
    gains = table[table["subject"] == MEAN].groupby("region")["delta_eng1000"]
    strongest = gains.agg(lambda g: g.abs().max()).nlargest(MOST_REGIONS).index
    return gains.mean().loc[strongest].sort_values(ascending=False).index.tolist()


def _panel(axes: Axes, table: pd.DataFrame, regions: list[str]) -> None:
    """Mean, interval and subjects of one model."""
    own = table[table["subject"] != MEAN]
    own = own[own["region"].isin(regions)]
    mean = table[table["subject"] == MEAN].set_index("region").reindex(regions)
    rows = np.arange(len(regions))
    low, high, middle = (mean[k].to_numpy() for k in ("delta_lo", "delta_hi", "delta_eng1000"))
    colours = [COLOUR if clear else FAINT for clear in (low > 0) | (high < 0)]
    axes.axvline(0, color="0.8", lw=0.8, zorder=0)
    axes.hlines(rows, low, high, colors=colours, lw=2)
    if own["subject"].nunique() > 1:  # noqa: PD101
        axes.scatter(own["delta_eng1000"], own["region"].map(regions.index), s=6, color="0.3")
    axes.scatter(middle, rows, s=26, color=colours, zorder=3)
    axes.set_yticks(rows, regions, size=8)
    axes.set_ylim(len(regions) - 0.5, -0.5)
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
