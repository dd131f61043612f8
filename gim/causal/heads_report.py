"""What is known of a model's heads, as tables and one figure."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gim.files import atomic_file, write_json, write_text

SCORES = ("prefix_matching", "copying", "text_matching", "text_copying")
KINDS = {
    "exact": "exact match",
    "fuzzy": "five most alike",
    "fuzzy_alone": "most alike, another token",
}
SETTINGS = "heads.json"
FILES = (SETTINGS, "heads.tsv", "heads.png", "ablation.tsv")
CHOSEN, OTHER = "#b2182b", "#777777"


def write_heads(
    table: pd.DataFrame, out: str | Path, extra: dict, losses: pd.DataFrame | None = None
) -> None:
    """Write ``heads.tsv``, ``heads.json``, ``heads.png`` and, if given, ``ablation.tsv``.

    Parameters
    ----------
    table : DataFrame
        One row a head: ``layer head``, scores and overlaps.
    out : str or path
        A directory.
    extra : dict
        What the file says besides.
    losses : DataFrame, optional
        ``kind draw heads`` (their number) of `gim.causal.ablation.conditions`, and the losses.
    """
    folder = Path(out)
    if losses is not None:
        _write_table(folder / "ablation.tsv", losses)
        extra = {**extra, "ablation": losses.to_dict("records")}
    _write_table(folder / "heads.tsv", table)
    write_json(folder / SETTINGS, {**extra, "heads": table.to_dict("records")})
    draw_heads(table, folder / "heads.png", losses)


def _write_table(path: Path, table: pd.DataFrame) -> None:
    text = table.to_csv(sep="\t", index=False, float_format="%.6g", lineterminator="\n")
    write_text(path, text)


def draw_heads(table: pd.DataFrame, path: Path, losses: pd.DataFrame | None = None) -> None:
    """Draw scores as heat maps, then overlap with evidence, then what ablation costs."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    scores = [name for name in SCORES if name in table]
    kinds = [kind for kind in KINDS if kind in table]
    below = len(kinds) + (losses is not None)
    columns = max(len(scores), below)
    figure = Figure(figsize=(3.3 * columns, 3.2 * (1 + bool(below))), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1 + bool(below), columns, squeeze=False)
    for axis, name in zip(axes[0], scores, strict=False):
        _heat_map(figure, axis, table, name)
    best = _chosen(table, losses)
    for axis, kind in zip(axes[-1], kinds, strict=False):
        _overlap(axis, table, kind, best)
    if losses is not None:
        _ablation(axes[1][len(kinds)], losses)
    for axis in [*axes[0][len(scores) :], *(axes[1][below:] if below else [])]:
        axis.set_axis_off()
    with atomic_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150)


def _chosen(table: pd.DataFrame, losses: pd.DataFrame | None) -> Any:
    """Rows of the heads that were taken out together, or of the eight best."""
    n = 8 if losses is None else int(losses.loc[losses["kind"] == "random", "heads"].max())
    return table["prefix_matching"].rank(ascending=False, method="first") <= n


def _heat_map(figure: Any, axis: Any, table: pd.DataFrame, name: str) -> None:
    grid = table.pivot_table(index="layer", columns="head", values=name)
    image = axis.imshow(grid, vmin=0, cmap="viridis", aspect="auto")
    axis.set(title=name.replace("_", " "), xlabel="head", ylabel="layer")
    axis.set_xticks(range(grid.shape[1]))
    axis.set_yticks(range(0, grid.shape[0], 1 + grid.shape[0] // 12))
    figure.colorbar(image, ax=axis)


def _overlap(axis: Any, table: pd.DataFrame, kind: str, best: Any) -> None:
    """Share of the tokens at which a head looks at evidence, over the same by distance alone."""
    for rows, colour, label in ((~best, OTHER, "other heads"), (best, CHOSEN, "induction heads")):
        part = table[rows]
        axis.scatter(100 * part[f"{kind}_chance"], 100 * part[kind], 12, colour, label=label)
    high = 100 * max(table[kind].max(), table[f"{kind}_chance"].max())
    axis.plot([0, high], [0, high], color="black", linewidth=0.8)
    axis.set(title=f"looks at: {KINDS[kind]}", xlabel="by distance alone (%)", ylabel="head (%)")
    axis.legend(frameon=False, fontsize=8)


def _ablation(axis: Any, losses: pd.DataFrame) -> None:
    """Rise of the loss without the best heads, and without random ones of their layers."""
    whole = losses[losses["kind"] == "none"].iloc[0]
    drawn = losses[losses["kind"] == "random"]
    best = losses[(losses["kind"] == "best") & (losses["heads"] == drawn["heads"].max())].iloc[0]
    names = ["copied", "other", "in_context"]
    jitter = np.linspace(-0.2, 0.2, len(drawn))
    for place, name in enumerate(names):
        axis.scatter(place + jitter, drawn[name] - whole[name], 12, OTHER)
        axis.scatter([place], [best[name] - whole[name]], 40, CHOSEN, marker="D")
    axis.axhline(0, color="black", linewidth=0.8)
    axis.set_xticks(range(len(names)), ["copied", "other", "in-context"])
    axis.set(title=f"loss without {int(best['heads'])} heads", ylabel="change (nats)")
