"""Tables and figure of docs/replication.md, from what `benchmarks.replication` wrote.

    python -m benchmarks.replication_table [--page docs/replication.md]

Writes benchmarks/results/replication.json, replaces what stands between the page's two marks, and
draws docs/images/replication.png. The named alternative of every model is eng1000 of the same rung.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.common import execute, write
from benchmarks.replication import RUNGS, UNCHANGED, output
from benchmarks.replication_data import (
    COPYING,
    FOLDER,
    N_PRESENTATIONS,
    N_VOXELS,
    TEST,
    WANTED_R,
    story_of,
)
from benchmarks.results_real import insert
from gim.errors import InputError
from pipeline.core.interval import interval
from pipeline.core.series import top_voxels
from pipeline.statistics.ceiling import jackknife

FIRST = "published"  # the rung whose models without matches serve where these do not change
COLOURS = {"gim": "#0072b2", "lag": "#d55e00", "random": "#777777", "noise": "#cc79a7"}
HEAD = (
    "| rung | alphas | model | r | top 10 % | signed sqrt(R2) | gain in r (95 %) | "
    "other stories: r | gain (95 %) |"
)
MODELS = ("eng1000", *COPYING)
Arrays = dict[str, np.ndarray]


def read(subject: str, targets: str) -> dict[str, Arrays]:
    """What was written of each rung of which some model of its own was run."""
    found: dict[str, Arrays] = {}
    for rung in RUNGS:
        source = {m: FIRST if m in UNCHANGED.get(rung, ()) else rung for m in MODELS}
        paths = {m: output(subject, targets, of, m) for m, of in source.items()}
        made = [m for m, path in paths.items() if path.exists()]
        if any(source[m] == rung for m in made):
            found[rung] = {k: v for m in made for k, v in np.load(paths[m]).items()}
    return found


def record(found: Arrays, model: str, grid: str, kind: str) -> dict[str, Any]:
    """Scores of a model: on the test story, and on the others, each with its gain over eng1000."""
    names = [k.split("/r/")[1] for k in found if k.startswith(f"{model}/{grid}/r/")]
    names = [name for name in names if name.endswith(f"@{kind}")]
    test = next(name for name in names if story_of(name) == TEST)
    r = found[f"{model}/{grid}/r/{test}"]
    row = {"model": model, "alphas": grid, "presentations": kind, "r": r.mean()}
    row |= {"top10": r[top_voxels(r)].mean(), "root": found[f"{model}/{grid}/root/{test}"].mean()}
    others = [name for name in names if name != test]
    row["r_others"] = np.mean([found[f"{model}/{grid}/r/{name}"].mean() for name in others])
    if model != "eng1000":
        gains = [
            found[f"{model}/{grid}/r/{name}"].mean() - found[f"eng1000/{grid}/r/{name}"].mean()
            for name in others
        ]
        row["gain_others"] = interval(np.array(gains))
        row["gains_others"] = gains
        both = [found[f"{m}/{grid}/jack/{test}"].mean(axis=1) for m in (model, "eng1000")]
        whole = r.mean() - found[f"eng1000/{grid}/r/{test}"].mean()
        replicates = np.append(whole, both[0] - both[1])[:, None]
        row["gain"] = [float(part[0]) for part in jackknife(replicates)]
    return {key: _rounded(value) for key, value in row.items()}


def _rounded(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [round(float(v), 4) for v in value]
    return value if isinstance(value, str) else round(float(value), 4)


def records(subject: str, targets: str) -> list[dict[str, Any]]:
    """All rungs, models and grids."""
    kinds = ("given",) if targets == "components" else ("mean", "once")
    rows, of_rungs = [], read(subject, targets)
    if not of_rungs:
        command = f"python -m benchmarks.replication --subject {subject} --targets {targets}"
        raise InputError(f"{FOLDER}: nothing of {subject}, {targets}. Remedy: `{command}`")
    for rung, found in of_rungs.items():
        made = {tuple(key.split("/")[:2]) for key in found}
        for grid in ("published", "wide"):
            for model in [m for m in MODELS if (m, grid) in made]:
                for kind in kinds:
                    row = {"subject": subject, "targets": targets, "rung": rung}
                    rows.append(row | record(found, model, grid, kind))
    return rows


def markdown(rows: list[dict[str, Any]]) -> str:
    """Table of one subject's targets, in one kind of presentations."""
    lines = [HEAD, "|" + "---|" * 9]
    for row in rows:
        gains = [
            "" if key not in row else "{:+.4f} ({:+.4f} to {:+.4f})".format(*row[key])
            for key in ("gain", "gain_others")
        ]
        lines.append(
            f"| {row['rung']} | {row['alphas']} | {row['model']} | {row['r']:.4f} | "
            f"{row['top10']:.4f} | {row['root']:+.4f} | {gains[0]} | {row['r_others']:.4f} | "
            f"{gains[1]} |"
        )
    return "\n".join(lines)


def document(rows: list[dict[str, Any]]) -> str:
    """All tables."""
    parts = []
    for key in dict.fromkeys((r["subject"], r["targets"], r["presentations"]) for r in rows):
        own = [r for r in rows if (r["subject"], r["targets"], r["presentations"]) == key]
        title = {
            "given": "components",
            "mean": f"pseudo-voxels, mean of {N_PRESENTATIONS} presentations",
            "once": "pseudo-voxels, one presentation",
        }[key[2]]
        parts.append(f"### {key[0]}, {title}\n\n{markdown(own)}")
    return "\n\n".join(parts)


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Gain over eng1000: in every story a dot, in the published test story a ring."""
    rows = [r for r in rows if r["model"] != "eng1000" and r["presentations"] != "once"]
    panels = list(dict.fromkeys((r["subject"], r["targets"], r["rung"]) for r in rows))
    panels = [p for p in panels if p[2] in (FIRST, "audited")]
    figure = Figure(figsize=(2.6 * len(panels), 3.2), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for ax, panel in zip(axes, panels, strict=True):
        own = [r for r in rows if (r["subject"], r["targets"], r["rung"]) == panel]
        own = [r for r in own if r["alphas"] == own[0]["alphas"]]
        for x, row in enumerate(own):
            colour, gains = COLOURS[row["model"]], row["gains_others"]
            ax.plot(np.full(len(gains), x), gains, "o", ms=3, color=colour, alpha=0.5)
            mean, low, high = row["gain_others"]
            ax.plot([x + 0.2] * 2, [low, high], color=colour, lw=2)
            ax.plot(x + 0.2, mean, "_", ms=8, color=colour)
            ax.plot(x, row["gain"][0], "o", ms=9, mfc="none", color=colour, mew=1.8)
        ax.axhline(0, color="#1c2430", lw=0.8)
        ax.set_xticks(range(len(own)), [r["model"] for r in own])
        ax.set_title(f"{panel[0]}, {panel[1]}\n{panel[2]}", fontsize=9)
    axes[0].set_ylabel("gain in r over eng1000")
    figure.savefig(path, dpi=150)


def main() -> None:
    """Write the record, the tables and the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", nargs="+", default=["UTS01", "UTS03"])
    parser.add_argument("--page", type=Path, default=Path("docs/replication.md"))
    parser.add_argument("--image", type=Path, default=Path("docs/images/replication.png"))
    parser.add_argument("--seed", type=int, default=0, help="that the rungs were run with")
    given = parser.parse_args()
    rows = [row for s in given.subjects for t in ("components", "pseudo") for row in records(s, t)]
    insert(given.page, document(rows))
    draw(rows, given.image)
    write(
        "replication",
        f"r on {TEST} and on stories beside, published protocol to audited, one correction a rung",
        "eng1000 of the same rung",
        seed=given.seed,
        n_voxels=N_VOXELS,
        n_presentations=N_PRESENTATIONS,
        eng1000_cross_validated=WANTED_R,
        rows=rows,
    )


if __name__ == "__main__":
    execute(main)
