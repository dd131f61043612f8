"""Tables and figures of docs/results_details.md on real BOLD, from a run's tables.

    python -m benchmarks.results_real [--run results/realdata]

Replaces what stands between the page's two marks. Needs a run of config/realdata.yaml, with the
overlays whose rows are wanted.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from benchmarks.common import execute, need

BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
RULE = "|---|---|---|---|---|---|"
HEAD = "| bands | r | r, joined | top 10 %, by test | by CV | difference to eng1000 (95 %) |"
GAINS = "| band | over | gain in r (95 %) | top 10 % (95 %) | in test r | in test r, top 10 % |"
HORIZON = re.compile(r"(?<=[a-z])(\d+)(?=lag$|$)")
BLUE, GREY, ORANGE = "#0072b2", "#777777", "#d55e00"


def horizon_of(name: str, run_horizon: int) -> int:
    """Horizon of a model: the number in its name, or that of the run (eng1000 has none)."""
    found = HORIZON.search(name)
    return int(found[1]) if found and not name.startswith("eng1000") else run_horizon


def interval(row: pd.Series, value: str, lo: str, hi: str) -> str:
    """`+0.012 (+0.010 to +0.014)`."""
    return f"{row[value]:+.4f} ({row[lo]:+.4f} to {row[hi]:+.4f})"


def summary_table(table: pd.DataFrame) -> str:
    """Markdown of the rows of one subject."""
    lines = [HEAD, RULE]
    for _, row in table.iterrows():
        bands = row["bands"].replace("+", " + ")
        numbers = [f"{row[k]:.4f}" for k in ("r_mean", "r_concat", "r_top10_test", "r_top10_cv")]
        difference = interval(row, "delta_eng1000", "delta_lo", "delta_hi")
        lines.append(f"| {bands} | {' | '.join(numbers)} | {difference} |")
    return "\n".join(lines)


def gains_table(table: pd.DataFrame) -> str:
    """Markdown of gains of one subject."""
    lines = [GAINS, RULE]
    for _, row in table.iterrows():
        cells = [
            interval(row, "gain", "gain_lo", "gain_hi"),
            interval(row, "gain_top10", "gain_top10_lo", "gain_top10_hi"),
            f"{row['gain_test']:+.4f}",
            f"{row['gain_test_top10']:+.4f}",
        ]
        lines.append(f"| {row['band']} | {row['over']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def draw_gains(gains: pd.DataFrame, path: Path) -> None:
    """Gain of every band of the first horizon over the model without it, by subject."""
    subjects = [s for s in gains["subject"].unique() if s != "mean"]
    bands = list(gains["band"].unique())
    figure = Figure(figsize=(7, 0.3 * len(bands) + 1), layout="constrained")
    axes = figure.subplots()
    for i, subject in enumerate(subjects):
        own = gains[gains["subject"] == subject].drop_duplicates("band").set_index("band")
        own = own.reindex(bands)
        y = [b - 0.12 + 0.24 * i for b in range(len(bands))]
        spread = [own["gain"] - own["gain_lo"], own["gain_hi"] - own["gain"]]
        colour = (BLUE, ORANGE, GREY)[i % 3]
        axes.errorbar(own["gain"], y, xerr=spread, fmt="o", ms=3.5, color=colour, label=subject)
    axes.axvline(0, color=GREY, lw=0.8)
    axes.set_yticks(range(len(bands)), bands)
    axes.invert_yaxis()
    axes.set_xscale("symlog", linthresh=0.002)
    ticks = [-0.002, -0.001, 0, 0.001, 0.002, 0.01, 0.1]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("gain in out-of-fold r over the model without the band (95 % interval)")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)


def draw_horizons(gains: pd.DataFrame, path: Path) -> None:
    """Gains of gim, its lag control, drift and ar against the age of the newest BOLD used."""
    kinds = {"ar": GREY, "drift": "#009e73", "gimlag": ORANGE, "gim": BLUE}
    mean = gains[gains["subject"] == "mean"]
    figure = Figure(figsize=(7, 3), layout="constrained")
    panels = figure.subplots(1, 2)
    for axes, names in zip(panels, (("ar", "drift"), ("gimlag", "gim")), strict=True):
        for name in names:
            pattern = name.replace("lag", r"\d*lag") if "lag" in name else name + r"\d*"
            own = mean[mean["band"].str.fullmatch(pattern)].drop_duplicates("horizon")
            own = own.sort_values("horizon")
            spread = [own["gain"] - own["gain_lo"], own["gain_hi"] - own["gain"]]
            axes.errorbar(
                own["horizon"], own["gain"], yerr=spread, fmt="o-", color=kinds[name], label=name
            )
        axes.axhline(0, color=GREY, lw=0.8)
        axes.set_xscale("log")
        axes.set_xticks([2, 4, 8, 15, 30, 60], ["2", "4", "8", "15", "30", "60"])
        axes.minorticks_off()
        axes.set_xlabel("newest BOLD used, TRs back")
        axes.legend(frameon=False)
    panels[0].set_ylabel("gain in out-of-fold r (95 % interval)")
    figure.savefig(path, dpi=150)


def folded(title: str, parts: list[tuple[str, str]]) -> str:
    """Tables behind a line that opens on a click."""
    body = "\n\n".join(f"**{name}**\n\n{table}" for name, table in parts)
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def document(summary: pd.DataFrame, gains: pd.DataFrame) -> str:
    """All tables: the mean of the subjects at the first horizon open, the rest folded away."""
    first, *others = sorted(summary["horizon"].unique())

    def of(table: pd.DataFrame, subject: str, horizon: int) -> pd.DataFrame:
        return table[(table["subject"] == subject) & (table["horizon"] == horizon)]

    subjects = [s for s in summary["subject"].unique() if s != "mean"]
    parts = [
        f"### Mean over the subjects, horizon {first}",
        summary_table(of(summary, "mean", first)),
        f"### What each band adds, mean over the subjects, horizon {first}",
        gains_table(of(gains, "mean", first)),
        "### The newest BOLD further back, and each subject",
        folded(
            f"What each band adds at horizons {', '.join(map(str, others))}, mean",
            [(f"horizon {h}", gains_table(of(gains, "mean", h))) for h in others],
        ),
    ]
    for subject in subjects:
        rows = [(f"horizon {h}", summary_table(of(summary, subject, h))) for h in (first, *others)]
        parts.append(folded(f"{subject}: scores", rows))
        rows = [(f"horizon {h}", gains_table(of(gains, subject, h))) for h in (first, *others)]
        parts.append(folded(f"{subject}: what each band adds", rows))
    return "\n\n".join(parts)


def insert(page: Path, tables: str) -> None:
    """Replace what stands between the page's two marks."""
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}", encoding="utf-8")


def main() -> None:
    """Write the tables and draw the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, default=Path("results/realdata"))
    parser.add_argument("--page", type=Path, default=Path("docs/results_details.md"))
    parser.add_argument("--images", type=Path, default=Path("docs/images"))
    arguments = parser.parse_args()
    command = f"snakemake --configfile config/{arguments.run.name}.yaml"
    summary, gains = (
        pd.read_csv(need(arguments.run / f"{name}.tsv", command), sep="\t")
        for name in ("summary", "gains")
    )
    first = int(summary["horizon"].iloc[0])
    for table in (summary, gains):
        table["horizon"] = [horizon_of(name, first) for name in table["model"]]
    insert(arguments.page, document(summary, gains))
    draw_gains(gains[gains["horizon"] == first], arguments.images / "real_gains.png")
    draw_horizons(gains, arguments.images / "real_horizons.png")


if __name__ == "__main__":
    execute(main)
