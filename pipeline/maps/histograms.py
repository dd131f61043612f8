"""How r is distributed over voxels, for every model: the figure where there is no mask."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pipeline.core.atomic import atomic_path
from pipeline.maps.canvas import LITERAL

N_BINS = 60
UNIT = "test correlation (Pearson r)"
COLOUR, BASE_COLOUR = "#0072B2", "#D55E00"  # Okabe and Ito: told apart by the colour-blind


@mpl.rc_context(LITERAL)
def write_histograms(
    r: Mapping[str, np.ndarray],
    bands: Mapping[str, list[str]],
    *,
    path: Path,
    subject: str,
    baseline: str = "eng1000",
) -> dict[str, Any]:
    """Write one histogram of the test correlations a model, on common axes, as PNG.

    Parameters
    ----------
    r : mapping of model to array of shape (n_voxels,)
        Test correlations; NaN (no variance) is left out and counted.
    bands : mapping of model to list of str
        The model's bands, for the labels.
    path : Path
        The figure.
    subject : str
        The subject's label.
    baseline : str
        Model outlined in every panel, where it is among the models.

    Returns
    -------
    dict
        A record of the file, as of `pipeline.maps.voxelmap`.
    """
    edges = _edges(r)
    figure = Figure(figsize=(8, 1.1 + 1.15 * len(r)), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(r), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, (model, values) in zip(panels, r.items(), strict=True):
        _panel(axes, values, edges, f"{model}: {' + '.join(bands[model])}")
        if baseline in r and model != baseline:
            axes.stairs(_counts(r[baseline], edges), edges, color=BASE_COLOUR, lw=1.2)
    panels[-1].set_xlabel(UNIT)
    figure.supylabel("voxels")
    note = f" (outline: {baseline}; dashed: mean)" if baseline in r else " (dashed: mean)"
    figure.suptitle(f"{subject}: test correlation per model{note}")
    with atomic_path(path) as temporary:
        figure.savefig(temporary)
    named = dict.fromkeys(("model", "minus", "q", "band"))
    title = f"{subject}: test correlation per model"
    return {
        "file": path.name,
        "kind": "histograms",
        "stat": "r",
        "title": title,
        **named,
        "unit": UNIT,
    }


def _edges(r: Mapping[str, np.ndarray]) -> np.ndarray:
    """Bin edges that hold the values of all models."""
    values = np.concatenate([np.asarray(v, dtype=float).ravel() for v in r.values()])
    values = values[np.isfinite(values)]
    low, high = (values.min(), values.max()) if len(values) else (-0.1, 0.1)
    margin = 0.02 * (high - low) or 0.01
    return np.linspace(low - margin, high + margin, N_BINS + 1)


def _counts(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.histogram(values[np.isfinite(values)], edges)[0]


def _panel(axes: Axes, values: np.ndarray, edges: np.ndarray, label: str) -> None:
    """Histogram of a model, its mean, and its top 10 % mean in words."""
    finite = values[np.isfinite(values)]
    axes.stairs(_counts(values, edges), edges, fill=True, color=COLOUR, alpha=0.55)
    axes.axvline(0, color="0.6", lw=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(label, loc="left", size=9, pad=3)
    if len(finite):
        axes.axvline(finite.mean(), color="black", lw=1.2, ls="--")
    missing = len(values) - len(finite)
    facts = f"mean {finite.mean():.3f}\nmax {finite.max():.3f}" if len(finite) else "no values"
    facts += f"\n{missing} without variance" if missing else ""
    axes.text(0.995, 0.95, facts, transform=axes.transAxes, va="top", ha="right", size=9)
