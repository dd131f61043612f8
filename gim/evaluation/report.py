"""Tables and a plot of an evaluation."""

from pathlib import Path

import pandas as pd

from gim.evaluation.company import WEIGHTED
from gim.evaluation.evaluate import Result
from gim.evaluation.measures import (
    SMOOTHING,
    by_component,
    by_suffix_length,
    paired,
    summarise,
)
from gim.files import atomic_file, write_json, write_text

SETTINGS, PLOT = "eval.json", "eval.png"
TABLES = ("summary", "by_component", "by_suffix_length", "paired", "retrieval")
FILES = (SETTINGS, PLOT, *(f"{name}.tsv" for name in TABLES))


def write_evaluation(
    result: Result, out: str | Path, settings: dict, retrieval: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Write TSV tables, ``eval.json`` and ``eval.png`` into a directory; return the summary."""
    folder = Path(out)
    tables = {
        "summary": summarise(result),
        "by_component": by_component(result),
        "by_suffix_length": by_suffix_length(result),
    }
    if WEIGHTED in result.scores:
        tables["paired"] = paired(result, WEIGHTED)
    if retrieval is not None:
        tables["retrieval"] = retrieval
    for name, table in tables.items():
        text = table.to_csv(sep="\t", index=False, float_format="%.6g", lineterminator="\n")
        write_text(folder / f"{name}.tsv", text)
    content = {name: table.to_dict("records") for name, table in tables.items()}
    write_json(folder / SETTINGS, {**settings, "smoothing": SMOOTHING, **content})
    plot_evaluation(tables, folder / PLOT)
    return tables["summary"]


def plot_evaluation(tables: dict[str, pd.DataFrame], path: Path) -> None:
    """Accuracy of every model, and of the components by length of the match."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    summary = tables["summary"]
    accuracy = 100 * summary["acc_strict"]
    low = accuracy - 100 * summary["acc_strict_lo"]
    high = 100 * summary["acc_strict_hi"] - accuracy
    left.barh(summary["model"], accuracy, xerr=[low.clip(0), high.clip(0)], color="#4477aa")
    left.invert_yaxis()
    left.set_xlabel("strict next-token accuracy (%), 95 % interval over documents")
    for (matched, model), part in tables["by_suffix_length"].groupby(["matched", "model"]):
        label = f"{model} (length of {matched})"
        right.plot(part["suffix_from"], 100 * part["acc_strict"], marker=".", label=label)
    right.set_xscale("symlog", linthresh=1)
    right.set_xlabel("length of the longest match (tokens, lower bound)")
    right.set_ylabel("strict accuracy (%)")
    right.legend(fontsize=7)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150)


def to_markdown(table: pd.DataFrame) -> str:
    """A plain Markdown table; fractions as percentages with one decimal."""
    lines = [
        "| " + " | ".join(table.columns) + " |",
        "|" + "|".join("---" for _ in table.columns) + "|",
    ]
    for row in table.itertuples(index=False):
        cells = [_cell(name, value) for name, value in zip(table.columns, row, strict=True)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(name: str, value: object) -> str:
    if isinstance(value, float):
        if name.startswith("logprob") or name == "bits_per_byte":
            return f"{value:.3f}"
        return f"{value:.1f}" if name == "perplexity" else f"{100 * value:.1f}"
    return str(value)
