"""The gain of every model by region, as dots with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pipeline.core.atomic import atomic_path
from pipeline.dataset.dataset import MEAN
from pipeline.maps.canvas import LITERAL

# Of a fine parcellation, those with the greatest gains either way: fewer where there are many rows
# of panels, so that the figure fits a page or three.
FEWEST_REGIONS, MOST_REGIONS, MOST_LINES = 12, 40, 80
PANELS_A_ROW = 5
NARROWEST = 5.5  # inches, for the title
COLOUR, FAINT = "#0072B2", "0.65"  # clear of 0, and not


@mpl.rc_context(LITERAL)
def write_chart(
    table: pd.DataFrame, path: str | Path, *, models: Sequence[str], baseline: str
) -> None:
    """Write the gains of one parcellation as PNG: a panel a model, a line a region.

    Models with a lag control come first, with their gain over it; then the others, but for those
    controls, with theirs over the baseline, on a scale of their own.

    Parameters
    ----------
    table : DataFrame
        Rows of one parcellation of `pipeline.regions.summary.summarise_regions`.
    path : path
        The figure.
    models : sequence of str
        Models to show, others than the baseline among them; that has no gain.
    baseline : str
        The model compared with where there is no lag control.
    """
    table = _judged(table, baseline)
    groups = _groups(table, models, baseline)
    n_columns = min(max(map(len, groups)), PANELS_A_ROW)
    rows_of = [-(-len(group) // n_columns) for group in groups]
    most = min(max(MOST_LINES // sum(rows_of), FEWEST_REGIONS), MOST_REGIONS)
    regions = _choose(table[table["model"].isin(groups[0])], most)
    height = 1.2 + sum(rows_of) * (0.8 + 0.2 * len(regions))
    size = (max(1.4 + 2.1 * n_columns, NARROWEST), height)
    figure = Figure(figsize=size, dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(sum(rows_of), n_columns, sharey=True, squeeze=False)
    for group, panels in zip(groups, np.split(grid, np.cumsum(rows_of)[:-1]), strict=True):
        _fill(panels.ravel(), group, table, regions)
    grid[0, 0].set_yticks(range(len(regions)), regions)  # of all panels, which share it
    grid[0, 0].set_ylim(len(regions) - 0.5, -0.5)
    left_out = table["region"].nunique() - len(regions)
    notes = ["mean, 95 % interval over stories (blue: clear of 0)"]
    notes += ["small dots: subjects"] if table["subject"].nunique() > 2 else []
    lines = [f"{table['parcellation'].iloc[0]}: gain by region", "; ".join(notes)]
    lines += [f"{left_out} regions with smaller gains are in the table"] if left_out else []
    figure.suptitle("\n".join(lines), size=9, x=0.01, ha="left")
    figure.supxlabel("difference in out-of-fold Pearson r", size=9)
    with atomic_path(path) as temporary:
        figure.savefig(temporary)


def _judged(table: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """The table with the gain that is shown, `value` from `low` to `high`, `over` some model."""
    controlled = table["over"].notna()
    columns = {"value": ("gain", "delta_eng1000"), "low": ("gain_lo", "delta_lo")}
    columns |= {"high": ("gain_hi", "delta_hi")}
    shown = {name: table[a].where(controlled, table[b]) for name, (a, b) in columns.items()}
    return table.assign(over=table["over"].where(controlled, baseline), **shown)


def _groups(table: pd.DataFrame, models: Sequence[str], baseline: str) -> list[list[str]]:
    """Models held against lag controls, and those held against the baseline."""
    over = dict(zip(table["model"], table["over"], strict=True))
    controlled = [model for model in models if over[model] != baseline]
    left_out = {baseline, *controlled, *(over[model] for model in controlled)}
    others = [model for model in models if model not in left_out]
    return [group for group in (controlled, others) if group]


def _choose(table: pd.DataFrame, most: int) -> list[str]:
    """Regions to show, the greatest mean gain over models first."""
    gains = table[table["subject"] == MEAN].groupby("region")["value"]
    strongest = gains.agg(lambda g: g.abs().max()).nlargest(most).index
    return gains.mean().loc[strongest].sort_values(ascending=False).index.tolist()


def _fill(panels: np.ndarray, group: list[str], table: pd.DataFrame, regions: list[str]) -> None:
    """One panel a model, all on one scale."""
    for axes, model in zip(panels, group, strict=False):
        own = table[table["model"] == model]
        _panel(axes, own, regions)
        title = f"{model}\nover {own['over'].iloc[0]}"
        axes.set_title(title, loc="left", size=9, weight="bold", pad=3)
    for axes in panels[1 : len(group)]:
        axes.sharex(panels[0])
    panels[0].autoscale(axis="x")  # the scale of all that share it
    panels[0].locator_params(axis="x", nbins=4)
    for axes in panels[len(group) :]:
        axes.set_visible(False)


def _panel(axes: Axes, table: pd.DataFrame, regions: list[str]) -> None:
    """Mean, interval and subjects of one model."""
    own = table[table["subject"] != MEAN]
    own = own[own["region"].isin(regions)]
    mean = table[table["subject"] == MEAN].set_index("region").reindex(regions)
    rows = np.arange(len(regions))
    middle, low, high = (mean[k].to_numpy() for k in ("value", "low", "high"))
    colours = [COLOUR if clear else FAINT for clear in (low > 0) | (high < 0)]
    axes.axvline(0, color="0.8", lw=0.8, zorder=0)
    axes.hlines(rows, low, high, colors=colours, lw=2)
    if own["subject"].nunique() > 1:  # noqa: PD101
        axes.scatter(own["value"], own["region"].map(regions.index), s=6, color="0.3")
    axes.scatter(middle, rows, s=26, color=colours, zorder=3)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
